"""A wire that can be cut: a server behind it is gone for those who use it, and comes back."""

import socket
from contextlib import suppress
from threading import Lock, Thread
from typing import Self


class Wire:
    """Forwards TCP to `host`:`port` from a port of its own."""

    def __init__(self, host: str, port: int) -> None:
        self.target = (host, port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.is_cut = False
        self._open: set[socket.socket] = set()
        self._lock = Lock()

    def __enter__(self) -> Self:
        Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.close()
        self.cut()

    def cut(self) -> None:
        """Ends what is open; new connections are ended at once, until `mend`."""
        self.is_cut = True
        with self._lock:
            for end in self._open:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()
            self._open.clear()

    def mend(self) -> None:
        self.is_cut = False

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self.listener.accept()
                far = None if self.is_cut else socket.create_connection(self.target)
            except OSError:
                return
            if far is None:
                near.close()
                continue
            with self._lock:
                self._open |= {near, far}
            Thread(target=self._carry, args=(near, far), daemon=True).start()

    def _carry(self, near: socket.socket, far: socket.socket) -> None:
        """Forward both ways until both are at their end, and close them."""
        back = Thread(target=_forward, args=(far, near), daemon=True)
        back.start()
        _forward(near, far)
        back.join()
        with self._lock:
            self._open -= {near, far}
        near.close()
        far.close()


def _forward(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
    with suppress(OSError):
        other.shutdown(socket.SHUT_RDWR)
