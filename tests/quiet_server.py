"""The HTTP server under the tests' own scripted and recorded answers."""

import sys
from http.server import ThreadingHTTPServer
from typing import Any


class QuietServer(ThreadingHTTPServer):
    """Reports no error if a client hangs up, which time limits and interrupted requests make clients do.

    Its threads may outlive a test, and a traceback would then stand amid the output of another one.
    """

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)
