"""The 113 deliveries that a self-hosted Cal.com made, headers and bodies as they came."""

import json
from dataclasses import dataclass
from pathlib import Path

_FILE = Path(__file__).resolve().parents[1] / "data" / "webhook_deliveries.json"


@dataclass(frozen=True)
class Recorded:
    number: str
    headers: dict[str, str]
    secret: str | None
    body: bytes

    @property
    def is_signed(self) -> bool:
        return self.secret is not None


DELIVERIES = [
    Recorded(one["number"], one["headers"], one["secret"], one["body"].encode())
    for one in json.loads(_FILE.read_text())
]
SIGNED = [one for one in DELIVERIES if one.is_signed]
#: The secret with which all of them are signed.
SECRET = "whsec_local_test"
