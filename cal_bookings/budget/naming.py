"""What a credential is called where its budget is kept, without telling it."""

from django.utils.crypto import salted_hmac

from cal_bookings.client import Credential


def name_of(base_url: str, credential: Credential) -> str:
    """A hash keyed with SECRET_KEY."""
    value = "\n".join([base_url, *sorted(credential.headers().values())])
    digest = salted_hmac("cal_bookings.budget", value, algorithm="sha256")
    return digest.hexdigest()
