"""A database of the first release (47685b3, migration 0001): filled, looked at, and judged after an upgrade.

``python -m tests.migrations.first_release fill`` makes rows of every kind, odd ones among them; ``crowd N`` makes so many
bookings on PostgreSQL; ``dump`` prints every row of the first release's tables; ``check`` fails unless the app works on
the rows of ``fill`` after the upgrade.
"""

import json
import sys
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any
from uuid import UUID

import django

LONG_AGO = datetime(2026, 10, 1, 9, 30, tzinfo=UTC)
CREATED_AT = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
#: How each account stood when it was upgraded: the modes of its states, and whether its full walk was ever complete.
ACCOUNTS: dict[str, tuple[dict[str, bool], dict[str, int]]] = {
    "complete": ({"full": True, "window": True, "changes": True}, {}),
    "under-way": ({"full": False, "window": True}, {}),
    "moved": ({"full": True, "window": False}, {}),
    "team": ({"full": True, "window": True}, {"team": 3}),
    "new": ({}, {}),
}
#: How that release noted that a person paused an account.
PAUSED: dict[str, Any] = {
    "circuit_open_until": datetime(9999, 1, 1, tzinfo=UTC),
    "circuit_reason": "Paused by hand by sam.",
}


def main() -> None:
    django.setup()
    commands: dict[str, Any] = {
        "fill": fill,
        "crowd": crowd,
        "dump": lambda: print(json.dumps(dump(), default=str)),
        "check": check,
    }
    commands[sys.argv[1]](*map(int, sys.argv[2:]))


def first_models() -> Any:
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    state = MigrationExecutor(connection).loader.project_state(
        [("cal_bookings", "0001_initial")]
    )
    return state.apps


# Rows of every kind


def payload(uid: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": 7,
        "uid": uid,
        "title": "Consultation between Ada and Zoë ☕",
        "status": "accepted",
        "start": "2026-11-23T09:00:00.000Z",
        "end": "2026-11-23T09:30:00.000Z",
        "duration": 30,
        "createdAt": "2026-10-20T19:51:19.874Z",
        "hosts": [],
        "attendees": [{"name": "Ben", "email": "ben@example.net", "absent": False}],
    } | fields


def hash_of(sent: dict[str, Any]) -> str:
    text = json.dumps(sent, sort_keys=True, separators=(",", ":"))
    return blake2b(text.encode("ascii"), digest_size=16).hexdigest()


def fill() -> None:
    models = first_models()

    def make(name: str, /, **values: Any) -> Any:
        return models.get_model("cal_bookings", name).objects.create(**values)

    for number, (alias, (modes, scope)) in enumerate(ACCOUNTS.items(), start=1):
        account = make(
            "Account",
            alias=alias,
            scope=scope,
            dialect="offset" if modes else "",
            credentials={"API_KEY": f"cal_{alias}"} if alias == "complete" else {},
        )
        pause = PAUSED if alias == "new" else {}
        row = type(account).objects.filter(pk=account.pk)
        row.update(created_at=CREATED_AT, **pause)
        for mode, is_complete in modes.items():
            state = make(
                "SyncState",
                account=account,
                mode=mode,
                last_completed_at=LONG_AGO if is_complete else None,
                checkpoint={} if is_complete else {"of another": "version"},
            )
            make("WalkPage", state=state, number=0, booking_ids=[1, 2])
            make("SyncRun", account=account, mode=mode, started_at=LONG_AGO)
        if modes:
            fill_bookings(make, account, number)
    make("RateWindow", key="k" * 64, slots=118, used=7)


def fill_bookings(make: Any, account: Any, number: int) -> None:
    event_type = make("EventType", account=account, remote_id=2, mirrored_at=LONG_AGO)
    host = make("Host", account=account, remote_id=1, name="", mirrored_at=LONG_AGO)
    values = {
        "plain": payload("plain"),
        "old": payload("old", rescheduledToUid="new"),
        "new": payload("new", rescheduledFromUid="old"),
        "alone": payload("alone", attendees=[], eventType=None, createdAt=None),
        "x" * 255: payload("x" * 255, title="", unknownKey={"deep": [None, 1.5, True]}),
    }
    for place, (uid, sent) in enumerate(values.items()):
        booking = make(
            "Booking",
            account=account,
            uid=uid,
            title=sent["title"],
            status="no such status" if uid == "alone" else "accepted",
            start=datetime(1, 1, 1, tzinfo=UTC) if uid == "alone" else LONG_AGO,
            end=LONG_AGO + timedelta(minutes=30),
            duration=30,
            event_type=None if uid == "alone" else event_type,
            event_type_remote_id=2,
            rescheduled_from_uid=sent.get("rescheduledFromUid", ""),
            rescheduled_to_uid=sent.get("rescheduledToUid", ""),
            # The halves are split, as that release could leave them.
            appointment=UUID(int=number * 100 + place),
            first_seen_at=LONG_AGO,
            mirrored_at=LONG_AGO,
            missing_since=LONG_AGO if uid == "alone" else None,
            payload=sent,
            payload_hash=hash_of(sent),
            api_version="2024-08-13",
        )
        booking.hosts.add(host)
        for position, each in enumerate(sent["attendees"]):
            make(
                "Attendee", booking=booking, position=position, name=each["name"],
                email=each["email"],
            )  # fmt: skip
        make(
            "BookingChange",
            booking=booking,
            source="walk",
            changes={},
            changed_at=LONG_AGO,
        )
        action = make(
            "BookingAction", account=account, booking=booking, kind="cancel",
            status="unknown", lane=uid, deadline=LONG_AGO, parameters={"reason": "☕"},
        )  # fmt: skip
        make("ActionAttempt", action=action, began_at=LONG_AGO, sent=True)


# Many rows


def crowd(count: int) -> None:
    from django.db import connection

    models = first_models()
    account = models.get_model("cal_bookings", "Account").objects.create(alias="crowd")
    with connection.cursor() as cursor:
        for statement in CROWD:
            cursor.execute(statement, {"account": account.pk, "count": count})


CROWD = (
    """
    INSERT INTO cal_bookings_booking (
        account_id, uid, remote_id, title, description, status, start, "end", duration, event_type_remote_id, location,
        absent_host, cancellation_reason, cancelled_by_email, rescheduling_reason, rescheduled_by_email,
        rescheduled_from_uid, rescheduled_to_uid, recurring_booking_uid, appointment, rating, ics_uid, guests, metadata,
        booking_fields_responses, remote_created_at, remote_updated_at, first_seen_at, mirrored_at, payload,
        payload_hash, api_version
    )
    SELECT
        %(account)s, 'uid-' || n, n, 'Consultation', '', 'accepted', moment, moment + interval '30 minutes', 30, NULL,
        'https://meet.example.com/room', false, '', '', '', '', '', '', '', gen_random_uuid(), NULL,
        'uid-' || n || '@Cal.com', '[]', '{}', '{}', moment, moment, now(), now(),
        jsonb_build_object(
            'id', n, 'uid', 'uid-' || n, 'title', 'Consultation', 'description', '', 'status', 'accepted',
            'start', iso, 'end', to_char(moment + interval '30 minutes', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'duration', 30,
            'location', 'https://meet.example.com/room', 'absentHost', false, 'createdAt', iso, 'updatedAt', iso,
            'icsUid', 'uid-' || n || '@Cal.com', 'metadata', '{}'::jsonb, 'guests', '[]'::jsonb, 'hosts', '[]'::jsonb,
            'bookingFieldsResponses', '{}'::jsonb,
            'attendees', jsonb_build_array(jsonb_build_object(
                'name', 'Guest ' || n, 'email', 'guest-' || n || '@example.net', 'absent', false
            ))
        ),
        md5(n::text), '2024-08-13'
    FROM (
        SELECT n, moment, to_char(moment, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS iso
        FROM generate_series(1, %(count)s) AS n,
            LATERAL (SELECT (timestamp '2026-01-01' + n * interval '5 minutes') AT TIME ZONE 'UTC' AS moment) AS later
    ) AS made
    """,
    """
    INSERT INTO cal_bookings_attendee (
        booking_id, position, name, email, display_email, time_zone, language, phone_number, absent, seat_uid, metadata,
        booking_fields_responses
    )
    SELECT id, 0, 'Guest ' || remote_id, 'guest-' || remote_id || '@example.net', '', '', '', '', false, '', '{}', '{}'
    FROM cal_bookings_booking WHERE account_id = %(account)s
    """,
    """
    INSERT INTO cal_bookings_bookingchange (booking_id, source, changes, changed_at)
    SELECT id, 'walk', '{"status": ["pending", "accepted"]}', now()
    FROM cal_bookings_booking WHERE account_id = %(account)s
    """,
    """
    INSERT INTO cal_bookings_syncrun (
        account_id, mode, outcome, started_at, pages, requests, seen, created, updated, unchanged, missing, failed, drift,
        failures, error
    )
    SELECT %(account)s, 'changes', 'complete', now(), 1, 1, 0, 0, 0, 0, 0, 0, '{}', '[]', ''
    FROM generate_series(1, %(count)s)
    """,
    "ANALYZE",
)


# After the upgrade


def dump() -> dict[str, list[dict[str, Any]]]:
    models = (
        first_models()
        .get_app_config("cal_bookings")
        .get_models(include_auto_created=True)
    )
    return {
        model._meta.db_table: list(model._default_manager.order_by("pk").values())
        for model in models
    }


def check() -> None:
    from django.utils import timezone

    from cal_bookings import mirror
    from cal_bookings.models import Account, Booking, BookingChange, Derivation

    began = {each.alias: each for each in Account.objects.all()}
    for alias in ("complete", "under-way", "team"):
        assert began[alias].mirror_began_at == CREATED_AT, alias
    assert began["complete"].fully_mirrored_at == LONG_AGO
    assert began["under-way"].fully_mirrored_at is None
    assert timezone.now() - began["moved"].mirror_began_at < timedelta(minutes=10)  # type: ignore[operator]
    assert began["moved"].fully_mirrored_at is None
    assert began["new"].mirror_began_at is None
    paused = [each.alias for each in began.values() if each.is_paused_by_hand]
    assert (paused, began["new"].why_paused) == (["new"], PAUSED["circuit_reason"])
    assert began["new"].circuit_open_until is None
    versions = Derivation.objects.values_list("parser_version", flat=True)
    assert list(versions) == [1] * len(ACCOUNTS)

    account = began["complete"]
    assert account.credentials == {"API_KEY": "cal_complete"}
    listed = Booking.objects.filter(account=account, missing_since=None)
    outcome = mirror.upsert(
        account,
        [each.payload for each in listed],
        asked_at=timezone.now(),
        api_version="2024-08-13",
        source=BookingChange.Source.WALK,
    )
    assert (outcome.unchanged, outcome.updated, outcome.created) == (4, 0, 0)
    assert mirror.join_split_appointments(account) == 2


if __name__ == "__main__":
    main()
