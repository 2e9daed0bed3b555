"""Sentences are stored as codes and parameters, and written out in the language of whoever reads them."""

import ast
from pathlib import Path

import pytest
from django.utils import translation
from django.utils.functional import Promise

import cal_bookings
from cal_bookings import sentences
from cal_bookings.budget.advice_texts import Advice
from cal_bookings.models import SyncState
from cal_bookings.outbox import intents as intents  # with the sentences of the outbox
from cal_bookings.sentences import Message, Sentence
from cal_bookings.sync.walk_texts import SyncText

GERMAN = {
    "The worker died, or lost its lease.": "Der Worker ist gestorben oder hat seine Lease verloren.",
    "the credential stored on the account": "den am Konto gespeicherten Schlüssel",
    "Cal.com does not let %(credential)s do this: check its permissions and the account's SCOPE.": (
        "Cal.com lässt %(credential)s das nicht tun."
    ),
    "Try again in %(seconds)d second.\0Try again in %(seconds)d seconds.": (
        "In %(seconds)d Sekunde noch einmal.\0In %(seconds)d Sekunden noch einmal."
    ),
    "Try again later.": "Später noch einmal, %(typo)s.",
}


@pytest.fixture
def german(catalogue):
    catalogue("de", GERMAN)
    with translation.override("de"):
        yield


def tables():
    return Sentence.__subclasses__()


def test_codes_are_unique_in_the_package():
    codes = [sentence.value for table in tables() for sentence in table]

    assert len(codes) == len(set(codes))
    assert {table.__name__ for table in tables()} >= {
        "Advice",
        "SyncText",
        "RefusalText",
        "ActionText",
    }


def test_every_sentence_can_be_translated():
    """Only what is passed on in somebody else's words is no sentence of ours."""
    fixed = [
        sentence.value
        for table in tables()
        for sentence in table
        if not isinstance(sentence.label, Promise)
    ]

    assert sorted(fixed) == ["action.words", "advice.verbatim", "pause.reason"]


def test_makemessages_finds_every_sentence():
    """As xgettext reads them: a call of `_` or ngettext_lazy whose argument is one literal."""
    marked = set()
    for path in Path(cal_bookings.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                is_marked = node.func.id in ("_", "ngettext_lazy")
                literals = [arg for arg in node.args if isinstance(arg, ast.Constant)]
                marked |= {arg.value for arg in literals if is_marked}

    with translation.override(None):
        texts = {str(sentence.label) for table in tables() for sentence in table}
    plurals = {text for text in texts if not text}  # lazy plurals have no text alone
    assert texts - marked - plurals <= {"%(text)s", "%(reason)s", "%(words)s."}


def test_every_sentence_gets_the_parameters_of_its_text_where_it_is_used():
    known = {table.__name__: table for table in tables()}
    wrong = []
    for path in Path(cal_bookings.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id=table), attr=name)
                ) if table in known and name.isupper():
                    given = {keyword.arg for keyword in node.keywords}
                    if given != parameters_of(known[table][name]):
                        wrong.append(f"{path.name}:{node.lineno} {table}.{name}")

    assert wrong == []


def parameters_of(sentence):
    """The names that are asked for when the text is filled in."""
    asked = Asked()
    str(sentence.label % asked)
    return asked.names


class Asked(dict):
    def __init__(self):
        self.names = set()

    def __getitem__(self, name):
        self.names.add(name)
        return 2

    def __contains__(self, name):
        return True


def test_a_message_is_written_in_the_language_of_its_reader(german):
    message = Advice.FORBIDDEN(credential=Advice.CREDENTIAL()) + Advice.TRY_AGAIN_IN(
        seconds=1
    )

    assert str(message) == (
        "Cal.com lässt den am Konto gespeicherten Schlüssel das nicht tun. In 1 Sekunde noch einmal."
    )
    assert message.english == (
        "Cal.com does not let the credential stored on the account do this: check its permissions and the account's SCOPE. "
        "Try again in 1 second."
    )
    assert str(Message.load(message.dump())) == str(message)


def state(message, **columns):
    return SyncState(**(sentences.columns("last_error", message) | columns))


def test_a_row_keeps_the_english_text_and_shows_the_readers(german):
    row = state(SyncText.WORKER_DIED())

    assert row.last_error == "The worker died, or lost its lease."
    assert sentences.shown(row, "last_error").startswith("Der Worker ist gestorben")


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param({"last_error_sentences": None}, id="of a release without codes"),
        pytest.param({"last_error": "Another."}, id="written by one since"),
        pytest.param({"last_error": ""}, id="cleared by one since"),
        pytest.param(
            {"last_error_sentences": [["sync.of_tomorrow", {}]]}, id="of a newer one"
        ),
        pytest.param(
            {"last_error_sentences": [["sync.some_failed", {}]]}, id="no parameters"
        ),
        pytest.param({"last_error_sentences": {"a": 1}}, id="another shape"),
    ],
)
def test_a_row_without_codes_for_its_text_shows_the_text(german, columns):
    row = state(SyncText.WORKER_DIED(), **columns)

    assert sentences.shown(row, "last_error") == row.last_error


def test_a_translation_that_cannot_be_filled_in_is_not_shown(german):
    row = state(Advice.TRY_LATER())

    assert sentences.shown(row, "last_error") == "Try again later."
