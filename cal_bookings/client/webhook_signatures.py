"""The signature of a webhook delivery: the hex HMAC-SHA256 of the raw body, made with the subscription's secret."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

#: The header of Cal.com itself. A re-branded server puts its own name in the place of "Cal".
SIGNATURE_HEADER = "X-Cal-Signature-256"
VERSION_HEADER = "X-Cal-Webhook-Version"


def sign(body: bytes, secret: str) -> str:
    """Return the signature that a server with this `secret` sends for `body`."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def is_signed(body: bytes, signature: str, secrets: Iterable[str]) -> bool:
    """Return whether `signature` is that of `body` under one of `secrets`. The comparison takes constant time.

    An empty secret signs nothing, nor does the text "no-secret-provided", which Cal.com sends for a subscription
    without a secret [wh 104].
    """
    given = signature.encode(errors="surrogatepass")
    matches = [
        hmac.compare_digest(sign(body, secret).encode(), given)
        for secret in secrets
        if secret
    ]
    return any(matches)
