"""A fake Cal.com to test against: strict, over real HTTP, in both list dialects, with scripted faults.

`FakeCal` serves a world of bookings that a test changes as people on Cal.com would. The pytest plugin, which
pytest finds where this package is installed, gives it to tests as the fixture `cal`; `python -m cal_bookings.testing`
serves a fake by hand. The package uses the standard library alone.

Each field of a request is honoured or refused as by Cal.com: `endpoints.bodies` lists them. Where servers differ, the
dialect decides: "cursor" is hosted Cal.com, "offset" a self-hosted server. The fake differs from the real servers in
these points:

* Routes that the fake does not have get the answer 404: schedules, one event type. They come with the parts of this
  package that need them.
* A room has only the recordings and transcripts that a test puts there, and a booking only such references to other
  systems: `cal.meetings`.
* Hosts are free around the clock, because tests start at any hour; only the list of free times keeps office hours.
  `allowBookingOutOfBounds` and `skipBookingLimits` are taken, and have no effect.
* `reassign` works in both dialects, because older self-hosted servers do reassign; `actions.reassign_is_stub` makes it
  the stub that the recorded server has. No host is fixed: a fixed one could not be reassigned.
* Every event type of a team offers instant meetings, which wait for a host for ever. An event type requires a verified
  e-mail address if a test replaces it by one with `wants_email_code`; `cal.mailbox` has the codes. Otherwise
  `emailVerificationCode` is taken and not read, as on Cal.com. `rescheduleWithSameHost` is taken: the host always
  stays. Of `routing`, only `teamMemberIds` has an effect.
* A booker needs an e-mail address: no event type takes a phone number alone. The guests of a seat stand among its
  responses and attend without being shown: Cal.com's treatment of them was not recorded.
* A list leaves out bookings that its user only attends, and nobody acts on bookings as the admin of a team or an
  organization: everybody who sees a booking is its host, and only hosts may change it.
* The answer to a collision late in a series is 409, which a self-hosted server in production mode words as a 400.
  Two faults of self-hosted servers are not imitated: a seated booking that cannot be cancelled after its attendees or
  location changed, and the old time of one that moved, which stays taken.
* The answer to `mark-absent` shows a seated booking in its own shape, and `emails_must_be_unique_valid` comes in the
  envelope that all servers have; hosted Cal.com adds `message` and `statusCode` beside it.
* Webhooks (`cal.webhooks`) are delivered by real requests, inside the request on a self-hosted server, queued and
  retried on hosted Cal.com. `private_webhooks=True` lets hosted Cal.com deliver to http and private addresses. Nothing
  in this world causes payments, recordings, forms, instant meetings, absences and delegations: `cal.webhooks.fire`
  sends their triggers. MEETING_STARTED and MEETING_ENDED are sent when a test calls `cal.webhooks.send_due_meetings`.
  The answer of an action may show an older `updatedAt` than the booking has after its webhooks. A refused
  connection costs no time.
* The shapes of older versions are outlines. There are no ETags. A key with another prefix than `cal_` is
  refused like any unknown key, with 401.
"""

from cal_bookings.testing.rate_limit import RateLimit
from cal_bookings.testing.server import FakeCal
from cal_bookings.testing.world.catalog import (
    EventType,
    Person,
    User,
)
from cal_bookings.testing.world.clock import Clock

__all__ = ["Clock", "EventType", "FakeCal", "Person", "RateLimit", "User"]
