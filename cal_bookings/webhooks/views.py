"""The receiver: it verifies a delivery before anything of it is parsed, stores it, and leaves the rest to a worker."""

import logging

from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from cal_bookings import client, conf
from cal_bookings.models import WebhookReceiver
from cal_bookings.webhooks import account_secrets, inbox, refusals

logger = logging.getLogger(__name__)

#: Cal.com's longest bodies have some kilobytes.
MAX_BYTES = 1 << 20
_CHUNK = 1 << 16

#: Seconds after which a sender that retries may come back.
_RETRY_AFTER = 30


@csrf_exempt
@login_not_required
@transaction.non_atomic_requests
@require_http_methods(["POST", "HEAD"])
def receive(request: HttpRequest, path_id: str) -> HttpResponse:
    """Take a delivery of Cal.com: 200 when it is stored, by two statements.

    Returns 401 for a body whose signature is not of one of the account's secrets, 404 for an unknown address, 413 for a
    body above 1 MiB, 503 where it cannot be stored now. Cal.com repeats a delivery after a 503, never after another 4xx, and
    switches the subscription off after a 410, which is never sent.
    """
    try:
        receiver = WebhookReceiver.objects.at(path_id)
        if receiver is None:
            return _answer(404)
        return _answer(200 if request.method == "HEAD" else _take(request, receiver))
    except UnreadablePostError:
        logger.info("A delivery broke off while its body was read")
    except Exception as error:  # noqa: BLE001 - drivers raise errors of their own past Django's
        # Neither its words nor the stack: they may repeat what the delivery holds.
        logger.error("A delivery could not be stored: %s", type(error).__name__)  # noqa: TRY400
    return _answer(503)


def _take(request: HttpRequest, receiver: WebhookReceiver) -> int:
    """Store the delivery and return the status of the answer."""
    body = _body(request)
    if body is None:
        return 413
    signature = request.headers.get(conf.get("WEBHOOK_SIGNATURE_HEADER"), "")
    # Two headers of this name arrive as one, with a comma between them, and are no signature.
    if not client.is_signed(body, signature, account_secrets.accepted(receiver)):
        refusals.count(receiver.account_id)
        return 401
    version = request.headers.get(client.VERSION_HEADER, "")
    inbox.store(receiver, body, version)
    return 200


def _body(request: HttpRequest) -> bytes | None:
    """Return the body; None if it is too long. Reads no more than the limit, whatever length is announced."""
    if _announced_length(request) > MAX_BYTES:
        return None
    body = bytearray()
    while chunk := request.read(_CHUNK):
        body += chunk
        if len(body) > MAX_BYTES:
            return None
    return bytes(body)


def _announced_length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def _answer(status: int) -> HttpResponse:
    headers = {"Retry-After": str(_RETRY_AFTER)} if status == 503 else {}
    return HttpResponse(status=status, headers=headers, content_type="text/plain")
