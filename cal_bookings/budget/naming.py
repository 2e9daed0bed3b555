"""The name under which a credential's budget is kept. The credential cannot be recovered from it."""

from django.utils.crypto import salted_hmac

from cal_bookings.client import Credential


def name_of(base_url: str, credential: Credential, limit: str = "") -> str:
    """Return a hash keyed with SECRET_KEY; each `limit` that Cal.com counts apart has a hash of its own."""
    parts = [base_url, *sorted(credential.headers().values()), limit]
    value = "\n".join(parts if limit else parts[:-1])
    digest = salted_hmac("cal_bookings.budget", value, algorithm="sha256")
    return digest.hexdigest()
