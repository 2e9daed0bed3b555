"""The server may send the credential back, in whatever it answers: no error and no log shows it, nor a piece of it."""

import base64
import gc
import json
import logging
import signal
import time
from urllib.parse import quote

import pytest

from cal_bookings.client import (
    AccessToken,
    ApiKey,
    CalClient,
    CalError,
    CalUnauthorized,
    ClientSecret,
    refresh_managed_user_tokens,
    refresh_oauth_tokens,
)
from tests.client.conftest import (
    Reply,
    reply,
)

JWT = ".".join(
    base64.urlsafe_b64encode(part).decode().rstrip("=")
    for part in (b'{"alg":"HS256"}', b'{"sub":"canary","id":7}', b"signature of it all")
)
CREDENTIALS = {
    "short": ApiKey("cal_k3y"),
    "without digits": ApiKey("cal_abcdefghijklmnopqrstuvwx"),
    "cal_live": ApiKey("cal_live_0123456789abcdef0123456789abcdef"),
    "jwt": AccessToken(JWT),
    "dots": ApiKey("canary.with.some.dots"),
    "oauth": AccessToken("ya29.a0AfH6-SMBx_canary"),
    "odd": ApiKey('ca"n<a>r&y/+=key'),
    "client": ClientSecret("client-id", "hush-canary-secret"),
}


@pytest.fixture(params=CREDENTIALS.values(), ids=list(CREDENTIALS))
def credential(request):
    return request.param


def pieces(secrets):
    """What must not be seen of them: each as it is and as part of a URL, and what stands between its dots."""
    for secret in secrets:
        yield from {secret, quote(secret, safe=""), secret.upper(), *secret.split(".")}


def answers(secret):
    """Each place of an answer in which a server can send it back."""
    said = f"no oAuth client found for access token={secret}"
    error = {"code": "ForbiddenException", "message": said}
    headers = {"Content-Type": "application/json"}
    yield reply({"status": "error", "error": error}, 403)
    yield reply({"status": "error", "error": {"code": secret, "message": "no"}}, 400)
    yield reply({"statusCode": 409, "message": f"{secret.upper()}|{secret}"}, 409)
    yield reply({"error": "invalid_grant", "error_description": said}, 400)
    details = {"errors": [{"constraints": {"isString": f"{secret} must be text"}}]}
    yield reply({"status": "error", "error": {"code": "c", "details": details}}, 400)
    yield Reply(500, f"<html>{secret}</html>".encode(), {"Content-Type": secret})
    yield Reply(200, b"<html>", {"Content-Type": f"{'x' * 40}{secret}"})
    yield reply({"message": "no"}, 404, **{"X-Request-Id": f"{'x' * 90}{secret}"})
    yield reply(
        {"message": "no"}, 302, Location=f"http://{quote(secret)}.example/?{secret}"
    )
    yield reply({secret: {secret: 1}, f"{'x' * 25}{secret}": 1})
    yield reply({"message": "slow down"}, 429, **{"X-Request-Id": secret})
    yield Reply(401, json.dumps({"message": quote(secret, safe="")}).encode(), headers)


def test_it_is_in_no_error_and_no_log(script, credential, caplog):
    caplog.set_level(logging.DEBUG)
    secrets = credential.secrets()
    for answer in answers(secrets[0]):
        script.will(*[answer] * 4)
        with (
            CalClient(script.url, credential, sleep=lambda _: None) as client,
            pytest.raises(CalError) as caught,
        ):
            client.me()
        script.replies.clear()

        error = caught.value
        shown = (
            f"{error!r} {error} {error.summary} {vars(error)} {client!r} {caplog.text}"
        )
        # The log of the server's own side, urllib3, has the path and no more.
        leaked = [piece for piece in pieces(secrets) if piece.lower() in shown.lower()]
        assert leaked == []


def test_what_is_no_secret_stays_readable(script):
    said = "no oAuth client found for access token=cal_k3y of team 12"
    script.will(reply({"statusCode": 403, "message": said}, 403))
    with (
        CalClient(script.url, ApiKey("cal_k3y")) as client,
        pytest.raises(CalUnauthorized) as caught,
    ):
        client.me()

    assert caught.value.message == (
        "no oAuth client found for access token=… of team 12"
    )


@pytest.mark.parametrize("refresh", [refresh_oauth_tokens, refresh_managed_user_tokens])
@pytest.mark.parametrize("secret", [JWT, "hush-secret", "short", "with.some.dots"])
def test_nor_are_the_secrets_of_a_token_exchange(script, refresh, secret):
    for answer in answers(secret):
        for client_secret, refresh_token in [(secret, "other"), ("other", secret)]:
            script.will(*[answer] * 4)
            with pytest.raises(CalError) as caught:
                refresh(
                    script.url,
                    client_id="client",
                    client_secret=client_secret,
                    refresh_token=refresh_token,
                )
            script.replies.clear()

            shown = f"{caught.value!r} {caught.value} {vars(caught.value)}".lower()
            assert [piece for piece in pieces([secret]) if piece.lower() in shown] == []


def test_after_a_renewal_neither_the_old_nor_the_new_one_is_shown(script):
    old, new = AccessToken("canary-of-old"), AccessToken("canary-of-new")
    echo = {"message": "canary-of-old and canary-of-new", "statusCode": 400}
    expired = reply({"message": "ACCESS_TOKEN_IS_EXPIRED"}, 498)
    script.will(expired, reply(echo, 400))
    with (
        CalClient(script.url, old, renew=lambda error: new) as client,
        pytest.raises(CalError) as caught,
    ):
        client.me()

    assert caught.value.message == "… and …"


class Interrupted(Exception):
    """As a worker's time limit raises it, wherever the code is."""


def test_an_interrupted_request_leaves_no_credential_in_the_frames(script, credential):
    """Error reporters send the local variables of every frame of a traceback."""

    def interrupt(*_):
        raise Interrupted

    def slow(request):
        time.sleep(1)
        return reply({"data": {"id": 1}})

    script.answer = slow
    before = signal.signal(signal.SIGALRM, interrupt)
    gc.disable()  # Python drops what is raised while callbacks of the collector run
    try:
        with CalClient(script.url, credential) as client:
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            with pytest.raises(Interrupted) as caught:
                client.me()
    finally:
        gc.enable()
        signal.signal(signal.SIGALRM, before)

    frames = list(locals_below(caught.value))
    assert len(frames) > 2
    assert [secret for secret in credential.secrets() if secret in str(frames)] == []


def locals_below(error):
    """The local variables of each frame, but those of this module, as text."""
    while error is not None:
        traceback = error.__traceback__
        while traceback is not None:
            if traceback.tb_frame.f_code.co_filename != __file__:
                yield repr(traceback.tb_frame.f_locals)
            traceback = traceback.tb_next
        error = error.__cause__ or error.__context__
