"""E-mail verification on the fake, which is strict about what Cal.com documents."""

import pytest

from cal_bookings.client import (
    Anonymous,
    ApiKey,
    CalClient,
    CalRateLimited,
    CalRefused,
    CalUnauthorized,
    CalUnavailable,
    CalUnexpected,
    CalUnsupported,
)
from tests.client.conftest import reply

ADA = "ada@example.net"


@pytest.fixture
def anonymous(cal):
    with CalClient(cal.url, Anonymous(), sleep=lambda _: None) as client:
        yield client.email_verification()


def test_whether_an_address_needs_it_is_asked_without_a_credential(cal, anonymous):
    cal.mailbox.protected.add(ADA)

    assert anonymous.is_required(ADA) is True
    assert anonymous.is_required("bob@example.net") is False
    assert "authorization" not in cal.requests[-1].headers


def test_a_code_is_sent_and_verified(cal, anonymous):
    anonymous.send_code(ADA, language="de", username="host1")

    assert cal.requests[-1].body == {
        "email": ADA,
        "language": "de",
        "username": "host1",
    }
    assert anonymous.verify(ADA, cal.mailbox.codes[ADA]) is True
    with pytest.raises(CalRefused, match="invalid_verification_code"):
        anonymous.verify(ADA, "0")


@pytest.mark.parametrize("email", ["", "nobody"])
def test_what_is_no_address_is_refused(anonymous, email):
    for ask in (anonymous.is_required, anonymous.send_code):
        with pytest.raises(CalRefused):
            ask(email)


def test_a_lost_answer_may_have_sent_the_code(cal, anonymous):
    cal.fault("reset", path="send-code")

    with pytest.raises(CalUnavailable) as caught:
        anonymous.send_code(ADA)
    assert caught.value.may_have_applied
    assert ADA in cal.mailbox.codes


@pytest.mark.parametrize("name", ["is_required", "send_code"])
def test_a_limit_is_told(cal, anonymous, name):
    cal.fault("429", retry_after=9)

    with pytest.raises(CalRateLimited) as caught:
        getattr(anonymous, name)(ADA)
    assert caught.value.retry_after == 9


def test_a_wrong_key_is_refused_though_none_is_needed(cal):
    with (
        CalClient(cal.url, ApiKey("cal_live_wrong")) as client,
        pytest.raises(CalUnauthorized),
    ):
        client.email_verification().send_code(ADA)


@pytest.mark.cal(dialect="offset")
def test_a_self_hosted_server_has_none(anonymous):
    with pytest.raises(CalUnsupported):
        anonymous.is_required(ADA)


@pytest.mark.parametrize(
    ("data", "required"), [(True, True), ({"required": False}, False)]
)
def test_either_shape_of_the_answer_is_read(client, script, data, required):
    script.will(reply({"status": "success", "data": data}))

    assert client.email_verification().is_required(ADA) is required


@pytest.mark.parametrize("data", [None, {}, {"sent": False}, {"verified": "yes"}])
def test_an_odd_answer_is_an_error(client, script, data):
    shown = {"status": "success", "data": data}
    script.will(reply(shown), reply(shown))

    with pytest.raises(CalUnexpected) as caught:
        client.email_verification().send_code(ADA)
    assert caught.value.may_have_applied
    with pytest.raises(CalUnexpected):
        client.email_verification().verify(ADA, "123456")
