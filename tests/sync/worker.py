"""One walk in a process of its own, which a test may kill.

Takes CAL_BOOKINGS as JSON and the mode; prints what the walk did as JSON. With payloads on its standard input it
compares the mirror with them afterwards.
"""

import json
import os
import sys


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "example_project.settings"
    import django

    django.setup()
    from django.conf import settings

    from cal_bookings import sync
    from cal_bookings.models import Account, Mode
    from tests.comparison import assert_mirrors

    settings.CAL_BOOKINGS = json.loads(sys.argv[1])
    account = Account.objects.configured().get()
    run = sync.walk(account, Mode(sys.argv[2]))
    sent = sys.stdin.read()
    if sent:
        assert_mirrors(account, json.loads(sent))
    shown = ("outcome", "error", "pages", "seen", "created", "updated", "failed")
    print(json.dumps({name: getattr(run, name) for name in shown}))


if __name__ == "__main__":
    main()
