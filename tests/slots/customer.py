"""One customer in a process of its own, who wants one slot: holds it, books it, and prints what came of it as JSON.

Takes CAL_BOOKINGS as JSON, the number of the event type, the start, and how to end: "book", or "die" between the two.
"""

import json
import os
import signal
import sys
from datetime import datetime


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "example_project.settings"
    import django

    django.setup()
    from django.conf import settings

    from cal_bookings import slots
    from cal_bookings.models import Account

    settings.CAL_BOOKINGS = json.loads(sys.argv[1])
    account = Account.objects.get()
    event_type, start = int(sys.argv[2]), datetime.fromisoformat(sys.argv[3])
    try:
        with slots.hold(
            account, event_type=event_type, start=start, max_wait=60
        ) as held:
            if sys.argv[4] == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            print(json.dumps({"status": book(account, event_type, start, held)}))
    except slots.SlotRefused as refused:
        print(json.dumps({"refused": refused.code, "message": refused.messages[0]}))


def book(account, event_type, start, held) -> str:
    from cal_bookings import outbox, slots

    action = outbox.create(
        account,
        event_type_id=event_type,
        start=start,
        attendee={
            "name": f"Customer {os.getpid()}",
            "email": f"customer{os.getpid()}@example.net",
            "timeZone": "UTC",
        },
        reservation=held,
    )
    delivered = outbox.deliver(action.pk)
    assert delivered
    slots.release_held_by(delivered)
    return str(delivered.status)


if __name__ == "__main__":
    main()
