"""Runs the contenders one after the other, in turns, and prints what they reached and what they should have."""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

import benchmarks
from benchmarks import machine, pages
from benchmarks.results import Results
from benchmarks.targets import TARGETS

RACE = (
    *("mirror", "fetch_and_parse", "dlt_merge", "copy_limit"),
    *("dlt_append", "one_by_one"),
)
PARTS = (*RACE, "statements", "idle_poll", "memory")
#: One object at a time takes its time: so many are enough to know how long.
ONE_BY_ONE = 500
IDLE = 1_000
SMALL, BIG = 2_000, 200_000


class Benchmark:
    def __init__(self, database_url: str) -> None:
        self.database_url = database_url
        self.results = Results()

    def race(self, names: list[str], bookings: int, rounds: int) -> None:
        """In turns, each round beginning with another one: a busy machine is busy for all of them."""
        with pages.serve(bookings) as many, pages.serve(ONE_BY_ONE) as few:
            for number in range(rounds):
                first = number % len(names) if names else 0
                for name in names[first:] + names[:first]:
                    self.run(name, few if name == "one_by_one" else many)

    def single(self, name: str, bookings: int) -> None:
        with pages.serve(bookings) as base_url:
            self.run(name, base_url)

    def memory(self) -> None:
        for bookings in (SMALL, BIG):
            with pages.serve(bookings) as base_url:
                for told in self._ask("mirror", base_url):
                    self.results.add(told | {"name": f"memory, {bookings:,}"})

    def run(self, name: str, base_url: str) -> None:
        for told in self._ask(name, base_url):
            self.results.add(told)

    def _ask(self, name: str, base_url: str) -> list[dict[str, Any]]:
        print(f"… {name}", file=sys.stderr, flush=True)
        command = [sys.executable, "-m", "benchmarks.contenders"]
        done = subprocess.run(
            [*command, name, base_url, self.database_url],
            env=environment(self.database_url, base_url),
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(f"{name} failed: see above")
        lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
        return [json.loads(line) for line in lines]


def environment(database_url: str, base_url: str = "") -> dict[str, str]:
    """The example project, pointed at the page server."""
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "example_project.settings",
        "DATABASE_URL": database_url,
        "CAL_BOOKINGS_API_KEY": "cal_live_benchmark",
        "CAL_BOOKINGS_BASE_URL": base_url,
    }


def make_database(database_url: str) -> None:
    """The database, if it does not exist yet, with our tables as they are now."""
    url = urlsplit(database_url)
    name = url.path.strip("/")
    if not name.endswith("benchmark"):
        sys.exit(f'The database "{name}" would be emptied: name it …benchmark')
    server = urlunsplit(url._replace(path="/postgres"))
    with psycopg.connect(server, autocommit=True) as database:
        if not database.execute(
            "SELECT FROM pg_database WHERE datname = %s", [name]
        ).rowcount:
            database.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    root = Path(__file__).resolve().parent.parent
    subprocess.run(
        [sys.executable, str(root / "manage.py"), "migrate", "--verbosity=0"],
        env=environment(database_url),
        check=True,
    )


def show(results: Results) -> None:
    titles = ("bookings/s", "slowest", "fastest", "CPU us each")
    print(f"\n{'contender':28}", *(f"{title:>12}" for title in titles))
    for name in results:
        if rates := results.rates(name):
            numbers = (statistics.median(rates), min(rates), max(rates))
            told = (*numbers, results.cpu(name))
            print(f"{name:28}", *(f"{number:12,.0f}" for number in told))
    for told in results.of("idle poll"):
        print(
            ", ".join(
                f"{key} {value:g}" for key, value in told.items() if key != "name"
            )
        )
    print(f"\n{'target':48}{'wanted':>10}{'measured':>10}")
    for target in TARGETS:
        if line := target.line(results):
            what, wanted, value, verdict = line
            print(f"{what:48}{wanted:>10}{value:>10}  {verdict}")


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument("--bookings", type=int, default=20_000, metavar="N")
    parser.add_argument("--rounds", type=int, default=3, metavar="N")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--json", type=Path, metavar="FILE", help="all numbers")
    return parser.parse_args()


def main() -> None:
    asked = read_arguments()
    database_url = os.environ.get("BENCHMARK_DATABASE_URL")
    if not database_url:
        sys.exit(f"Set BENCHMARK_DATABASE_URL.\n\n{benchmarks.__doc__}")
    make_database(database_url)
    described = machine.describe(database_url)
    benchmark = Benchmark(database_url)
    racers = [name for name in RACE if name in asked.only]
    benchmark.race(racers, asked.bookings, asked.rounds)
    for name, bookings in (("statements", IDLE), ("idle_poll", IDLE)):
        if name in asked.only:
            benchmark.single(name, bookings)
    if "memory" in asked.only:
        benchmark.memory()
    for key, value in described.items():
        print(f"{key:12}{value}")
    show(benchmark.results)
    if asked.json:
        told = {"machine": described, "results": benchmark.results.to_json()}
        asked.json.write_text(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
