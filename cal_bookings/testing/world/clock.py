"""The clock of the fake: real time, moved as far as a test wants."""

from datetime import UTC, datetime, timedelta


class Clock:
    """A clock that runs with real time from the time to which it was moved, unless it is stopped."""

    def __init__(self, at: datetime | None = None) -> None:
        self._offset = timedelta(0)
        self._stopped: datetime | None = None
        if at is not None:
            self.set(at)

    def now(self) -> datetime:
        """Return an aware time in UTC, to the millisecond, which is the precision of Cal.com."""
        now = self._stopped or datetime.now(UTC) + self._offset
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def advance(self, by: timedelta) -> None:
        self.set(self.now() + by)

    def set(self, at: datetime) -> None:
        self._offset = at - datetime.now(UTC)
        if self._stopped is not None:
            self._stopped = at

    def stop(self) -> None:
        """Stop the clock: from now on, time moves only through `advance` and `set`."""
        self._stopped = self.now()


def wire(moment: datetime) -> str:
    """Return a time in Cal.com's form. Texts of this form sort like the times they stand for."""
    utc = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return utc.removesuffix("+00:00") + "Z"
