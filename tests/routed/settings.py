"""The example project with the app's tables in a database of their own, to which a router sends them."""

from example_project.settings import *  # noqa: F403
from example_project.settings import DATABASES

DATABASES = {
    "default": DATABASES["default"],
    "bookings": DATABASES["default"]
    | {"NAME": f"{DATABASES['default']['NAME']}_bookings"},
}
DATABASE_ROUTERS = ["tests.routed.router.BookingsRouter"]
