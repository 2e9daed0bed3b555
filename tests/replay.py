"""A server that answers GET /v2/bookings with recorded payloads, as the recorded server did: it takes only
2024-08-13, pages by take and skip, and gives any other version the legacy shape [rec 123-125].
"""

import json
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Thread
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.quiet_server import QuietServer

DATA = Path(__file__).parent / "data"
LEGACY = (DATA / "legacy_list.json").read_bytes()
RECORDED = json.loads((DATA / "recorded_bookings.json").read_text())


def recorded(name: str) -> list[dict[str, Any]]:
    """The bookings in the answer that was recorded under this name."""
    return [RECORDED["payloads"][place] for place in RECORDED["answers"][name]]


class ReplayServer(QuietServer):
    """Serves `payloads`; `answer` replaces the whole body of whatever is asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.payloads: list[dict[str, Any]] = []
        self.answer: bytes | None = None
        self.versions: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v2"

    def __enter__(self) -> Self:
        Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def page(self, take: int, skip: int) -> bytes:
        shown, total = self.payloads[skip : skip + take], len(self.payloads)
        pagination = {
            "returnedItems": len(shown),
            "totalItems": total,
            "itemsPerPage": take,
            "remainingItems": max(0, total - skip - take),
            "currentPage": skip // take + 1,
            "totalPages": -(-total // take),
            "hasNextPage": skip + take < total,
            "hasPreviousPage": skip > 0,
        }
        return json.dumps(
            {"status": "success", "data": shown, "pagination": pagination}
        ).encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = (
        1 << 16
    )  # head and body in one packet: the second of two would wait 40 ms
    server: ReplayServer

    def do_GET(self) -> None:
        if self.path.startswith("/v2/event-types"):
            self._send(b'{"status": "success", "data": []}')
            return
        if self.path == "/v2/me":
            self._send(b'{"status": "success", "data": {"id": 4}}')
            return
        version = self.headers.get("cal-api-version")
        self.server.versions.append(version)
        query = {
            key: int(value[0])
            for key, value in parse_qs(urlsplit(self.path).query).items()
            if value[0].isdigit()
        }
        body = self.server.answer or LEGACY
        if self.server.answer is None and version == "2024-08-13":
            body = self.server.page(query.get("take", 100), query.get("skip", 0))
        self._send(body)

    def _send(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Tests read answers, not logs."""
