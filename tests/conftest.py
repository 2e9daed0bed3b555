"""What every test starts from: no account of the person who runs the tests, whatever their environment says."""

import signal

import hypothesis
import pytest

from tests.catalogues import compile_catalogue

# How long an example takes says more about the machine than about the code. The default run tries the same examples
# each time, so that it fails because of a change and not by chance; `-m exhaustive` looks for new ones.
hypothesis.settings.register_profile("repeatable", deadline=None, derandomize=True)
hypothesis.settings.load_profile("repeatable")

# A shell starts what runs in its background with Ctrl-C ignored, and every child inherits that: those of tests that
# press Ctrl-C, too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def catalogue(tmp_path, settings):
    """A function that adds translations: of a language, by the English texts."""

    def add(language, texts):
        compile_catalogue(tmp_path, language, texts)
        settings.LOCALE_PATHS = [tmp_path]

    return add


@pytest.fixture(autouse=True)
def no_account_from_the_environment(settings):
    settings.CAL_BOOKINGS = {}
