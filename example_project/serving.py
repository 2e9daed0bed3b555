"""The server of the site over real HTTP on this machine, in a thread of this process."""

from contextlib import AbstractContextManager
from threading import Thread

from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.servers.basehttp import (
    ThreadedWSGIServer,
    WSGIRequestHandler,
    get_internal_wsgi_application,
)


class Site(AbstractContextManager["Site"]):
    """A server that takes the port at once, or raises OSError if it is in use, and serves from `start` to its exit."""

    def __init__(self, port: int) -> None:
        self.server = ThreadedWSGIServer(("127.0.0.1", port), WSGIRequestHandler)
        self.thread = Thread(target=self.server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def start(self) -> None:
        self.server.set_app(StaticFilesHandler(get_internal_wsgi_application()))
        self.thread.start()

    def __exit__(self, *_: object) -> None:
        if self.thread.is_alive():
            self.server.shutdown()
        self.server.server_close()
