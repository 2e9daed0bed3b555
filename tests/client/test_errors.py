"""Every shape of error becomes the class that says what to do, in one harmless line."""

import pickle

import pytest

from cal_bookings.client import (
    CalError,
    CalForbidden,
    CalNotFound,
    CalRateLimited,
    CalRefused,
    CalTokenExpired,
    CalUnauthorized,
    CalUnavailable,
    CalUnexpected,
    CalUnsupported,
)
from tests.client.conftest import (
    Reply,
    recording,
    reply,
)

UID = "5BTviwpTVSbHcHEjF7hFtJ"
HTML = {"Content-Type": "text/html"}


def error_of(script, client, answer, uid=UID) -> CalError:
    script.will(*[answer] * 4)
    with pytest.raises(CalError) as caught:
        client.get_booking(uid)
    return caught.value


def envelope(code, message, status):
    return reply(
        {"status": "error", "error": {"code": code, "message": message}}, status
    )


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        pytest.param(
            recording("133"), CalUnauthorized, "UnauthorizedException", id="key"
        ),
        pytest.param(recording("530"), CalForbidden, "TRPCError", id="401-trpc"),
        pytest.param(recording("251"), CalForbidden, "", id="401-bare"),
        pytest.param(Reply(401, b"<html>", HTML), CalForbidden, "", id="401-html"),
        pytest.param(Reply(403, b"<html>", HTML), CalForbidden, "", id="403-html"),
        pytest.param(recording("129"), CalNotFound, "NotFoundException", id="404"),
        pytest.param(recording("126"), CalUnsupported, "NotFoundException", id="route"),
        pytest.param(Reply(404, b"<html>", HTML), CalUnexpected, "", id="404-html"),
        pytest.param(recording("073"), CalRefused, "BadRequestException", id="query"),
        pytest.param(recording("063"), CalRefused, "BAD_REQUEST", id="zod"),
        pytest.param(recording("222"), CalRefused, "", id="400-bare"),
        pytest.param(recording("049"), CalRefused, "", id="409-bare"),
        pytest.param(reply([], 422), CalRefused, "", id="422-list"),
        pytest.param(
            envelope("TokenExpiredException", "ACCESS_TOKEN_IS_EXPIRED", 498),
            CalTokenExpired,
            "TokenExpiredException",
            id="498",
        ),
        pytest.param(
            reply({"error": "invalid_grant", "error_description": "expired"}, 400),
            CalUnauthorized,
            "invalid_grant",
            id="oauth",
        ),
        pytest.param(Reply(408), CalUnavailable, "", id="408"),
        pytest.param(Reply(524, b"<html>", HTML), CalUnavailable, "", id="524-html"),
        pytest.param(recording("406"), CalRateLimited, "ThrottlerException", id="429"),
    ],
)
def test_an_error_answer_becomes_the_class_of_its_meaning(
    script, client, answer, kind, code
):
    error = error_of(script, client, answer)

    assert type(error) is kind
    assert (error.status, error.code) == (answer.status, code)
    assert error.may_have_applied is False


def test_an_error_prints_as_one_complete_line(script, client):
    error = error_of(script, client, recording("129"), uid="doesnotexist123")

    assert str(error) == (
        "GET /bookings/{uid}: 404 NotFoundException: "
        "Booking with uid=… was not found in the database "
        "(request 92edc778-8166-4ff0-8d11-f49d5105449e)"
    )


def test_the_text_of_a_refused_query_is_found(script, client):
    error = error_of(script, client, recording("073"))

    assert error.message == "take must not be greater than 250"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        pytest.param(f"no {UID} here", "no … here", id="uid"),
        pytest.param(
            "see 8mT3aXq9RfB2LwYp7KzVnC instead", "see … instead", id="other-uid"
        ),
        pytest.param("Not: /v2/x?email=a%40b", "Not: /v2/x…", id="query"),
        pytest.param("for ada@example.com now", "for … now", id="e-mail"),
        pytest.param("a\x1b[2J\n\tb\u202e", "a[2J b", id="control"),
        pytest.param("no " * 400, ("no " * 100).strip(), id="long"),
        pytest.param(
            "already_signed_up_for_this_booking_error",
            "already_signed_up_for_this_booking_error",
            id="code",
        ),
    ],
)
def test_a_message_is_bounded_and_harmless(script, client, said, kept):
    error = error_of(script, client, envelope("TRPCError", said, 400))

    assert error.message == kept


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        pytest.param({}, None, id="nothing"),
        pytest.param({"Retry-After": "7"}, 7, id="seconds"),
        pytest.param({"Retry-After": "Fri, 20 Nov 2020 20:01:14 GMT"}, 0, id="past"),
        pytest.param(
            {
                "X-RateLimit-Remaining-Booking_guests_add": "0",
                "X-RateLimit-Reset-Booking_guests_add": "42",
            },
            42,
            id="other-suffix",
        ),
        pytest.param({"Retry-After": "soon"}, None, id="words"),
        pytest.param({"Retry-After": "inf"}, None, id="infinite"),
    ],
)
def test_a_rate_limit_says_how_long_to_wait(script, client, headers, seconds):
    error = error_of(script, client, Reply(429, headers=headers))

    assert isinstance(error, CalRateLimited)
    assert error.retry_after == seconds


def test_an_error_survives_the_way_between_two_processes(script, client):
    error = error_of(script, client, recording("406"))

    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes

    assert str(copy) == str(error)
    assert copy.retry_after == 60
