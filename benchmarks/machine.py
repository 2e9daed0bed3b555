"""What all of it ran on."""

import os
import platform
from importlib import metadata
from pathlib import Path

import psycopg

PACKAGES = ("django", "psycopg", "requests", "orjson", "dlt")


def describe(database_url: str) -> dict[str, str]:
    with psycopg.connect(database_url) as database:
        settings = {
            name: _one(database, f"SHOW {name}")
            for name in ("server_version", "fsync", "synchronous_commit")
        }
    return {
        "processor": _processor(),
        "memory": f"{_memory_gb():.0f} GB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "postgresql": ", ".join(f"{name} {value}" for name, value in settings.items()),
        "packages": ", ".join(f"{name} {_version(name)}" for name in PACKAGES),
        "load": " ".join(f"{one:.1f}" for one in os.getloadavg()),
    }


def _one(database: psycopg.Connection, query: str) -> str:
    (value,) = database.execute(query.encode()).fetchone() or ("",)
    return str(value)


def _processor() -> str:
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text().splitlines()
        names = [line.split(": ")[1] for line in lines if line.startswith("model name")]
        model = names[0] if names else model
    return f"{os.cpu_count()} x {model}"


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
