"""What is to be reached, as ratios between contenders of one run: absolute times say more of the machine than of us."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.results import Results


@dataclass(frozen=True, slots=True)
class Target:
    what: str
    wanted: str
    value: Callable[[Results], float]
    is_met: Callable[[float], bool]
    needs: tuple[str, ...]

    def line(self, results: Results) -> tuple[str, str, str, str] | None:
        """What, wanted, measured, verdict; None if it was not measured."""
        if not all(name in results for name in self.needs):
            return None
        value = self.value(results)
        verdict = "met" if self.is_met(value) else "MISSED"
        return self.what, self.wanted, f"{value:.2f}", verdict


def _faster(ours: str, theirs: str, factor: float) -> Target:
    return Target(
        what=f"{ours} / {theirs}",
        wanted=f">= {factor:g}",
        value=lambda results: results.rate(ours) / results.rate(theirs),
        is_met=lambda value: value >= factor,
        needs=(ours, theirs),
    )


def _at_most(what: str, name: str, key: str, most: float) -> Target:
    return Target(
        what=what,
        wanted=f"<= {most:g}",
        value=lambda results: max(results.values(name, key)),
        is_met=lambda value: value <= most,
        needs=(name,),
    )


TARGETS = (
    _faster("first mirror", "dlt merge", 2),
    _faster("first mirror", "limit: COPY, our tables", 0.5),
    _faster("first mirror", "limit: COPY", 0.5),
    _faster("unchanged", "dlt re-sync", 6),
    _faster("unchanged", "limit: fetch and parse", 0.6),
    _faster("first mirror", "one by one, new", 30),
    _faster("unchanged", "one by one, unchanged", 30),
    _at_most("statements of a new page", "statements, new", "walk", 12),
    _at_most("statements of an unchanged page", "statements, unchanged", "walk", 3),
    _at_most("requests of an idle poll", "idle poll", "requests", 1),
    _at_most("statements of an idle poll", "idle poll", "statements", 8),
    _at_most("mirror writes of an idle poll", "idle poll", "mirror writes", 0),
    Target(
        what="MB more for 200,000 bookings than for 2,000",
        wanted="<= 50",
        value=lambda results: (
            max(results.values("memory, 200,000", "peak_mb"))
            - max(results.values("memory, 2,000", "peak_mb"))
        ),
        is_met=lambda value: value <= 50,
        needs=("memory, 2,000", "memory, 200,000"),
    ),
)
