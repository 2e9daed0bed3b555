"""The codes of the outbox, which programs rely on: each is documented, and each kind of action has its intent."""

import re
from pathlib import Path

import pytest

from cal_bookings import outbox, privacy
from cal_bookings.models import BookingAction
from cal_bookings.outbox import messages

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "outbox.md"


def documented(heading):
    """The codes in the first columns of the tables below a heading."""
    section = DOCUMENT.read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    cells = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    return [code for cell in cells for code in re.findall(r"`([a-z_]+)`", cell)]


@pytest.mark.parametrize(
    ("heading", "codes"),
    [
        ("Why it was refused", outbox.RefusalCode),
        ("Why it failed", outbox.ErrorCode),
    ],
)
def test_every_code_is_documented_once(heading, codes):
    rows = [code for code in documented(heading) if code not in ("code", "error_code")]

    assert sorted(rows) == sorted(codes.values)


def test_a_refusal_while_it_is_sent_has_a_code_that_an_action_may_have():
    """`Kind.prepare` refuses with these, and the worker writes them into the row."""
    assert outbox.RefusalCode.NO_NUMBER in outbox.ErrorCode.values


def test_every_refusal_for_everybody_has_a_known_code():
    assert set(outbox.RefusalCode) >= privacy.REFUSALS


def test_every_kind_has_its_intent():
    assert set(outbox.INTENTS) == set(BookingAction.Kind.values)
    for name, intent in outbox.INTENTS.items():
        assert getattr(outbox, name) is intent


def test_every_message_is_used():
    root = DOCUMENT.parents[1] / "cal_bookings" / "outbox"
    source = "".join(path.read_text() for path in root.rglob("*.py"))
    names = [name for name in vars(messages) if name.isupper()]

    unused = [name for name in names if not re.search(rf"messages\.{name}\b", source)]

    assert unused == []
