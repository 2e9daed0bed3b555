"""The progress of a command: one line that is drawn again on a terminal, a line now and then elsewhere."""

import time

from django.core.management.base import OutputWrapper

from cal_bookings.sync import Progress, runs

BAR_WIDTH = 24
REDRAW_SECONDS = 0.1
LINE_SECONDS = 5.0


class ProgressDisplay:
    """The display of progress. Pass it as `on_page`; call `finish` before other output is printed."""

    def __init__(self, out: OutputWrapper, account: str) -> None:
        self.out = out
        self.account = account
        self.on_terminal = out.isatty()
        self.began = time.monotonic()
        self.drawn = 0.0 if self.on_terminal else self.began
        self.width = 0

    def __call__(self, progress: Progress) -> None:
        done = runs.whole(progress.run)
        self.show(done["seen"], progress.total, f"page {done['pages']}")

    def show(self, seen: int, total: int | None, place: str = "") -> None:
        """Draw the number of finished bookings, and the `place` of the work."""
        now = time.monotonic()
        if now - self.drawn < (REDRAW_SECONDS if self.on_terminal else LINE_SECONDS):
            return
        self.drawn = now
        line = self._line(seen, total, place, now)
        if self.on_terminal:
            self.out.write(f"\r{line.ljust(self.width)}", ending="")
            self.width = len(line)
        else:
            self.out.write(line)
        self.out.flush()

    def finish(self) -> None:
        if self.on_terminal and self.width:
            self.out.write("\r" + " " * self.width + "\r", ending="")
            self.out.flush()

    def _line(self, seen: int, total: int | None, place: str, now: float) -> str:
        rate = seen / (now - self.began) if now > self.began else 0.0
        parts = [f"{self.account}: {_bar(seen, total)}", place, f"{rate:,.0f}/s"]
        return " · ".join(filter(None, parts))


def _bar(seen: int, total: int | None) -> str:
    if not total:
        return f"{seen:,} bookings"
    filled = min(BAR_WIDTH, BAR_WIDTH * seen // total)
    return (
        f"[{'#' * filled}{'.' * (BAR_WIDTH - filled)}] {seen:,} of {total:,} bookings"
    )
