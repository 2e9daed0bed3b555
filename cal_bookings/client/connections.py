"""The open connections of a process, which all its clients share. Each answer on them is bounded in time."""

from __future__ import annotations

import ipaddress
import os
import socket
import time
from contextlib import suppress
from functools import cache
from http.client import HTTPResponse
from io import BufferedReader, RawIOBase
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from cal_bookings.client import guard

#: The number of read timeouts that a whole answer, head and body, may take. A read timeout is that between two bytes.
PATIENCE = 4
_IDLE_CONNECTIONS = 100  # connections kept for each host; with more threads than this, the others are closed after use


#: The IPv6 networks that a gateway translates to IPv4, also to private addresses: NAT64, 6to4, Teredo, IPv4-compatible.
_TRANSLATED = [
    ipaddress.IPv6Network(network)
    for network in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96")
]


class PrivateAddress(HTTPError):
    """The error for a host whose address is not on the public internet."""


class _TimedReader(RawIOBase):
    """A reader of a socket that stops when the answer has taken too long, however often a byte arrives.

    A timer that closes the socket would need a thread for each answer; here the socket's own timeout shrinks.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._timeout = sock.gettimeout()
        self._ends_at = time.monotonic() + PATIENCE * (self._timeout or float("inf"))

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        if self._timeout is None or left >= self._timeout:
            return self._raw.readinto(buffer)
        self._sock.settimeout(left)
        try:
            return self._raw.readinto(buffer)
        finally:
            with suppress(OSError):  # the socket was closed meanwhile
                self._sock.settimeout(self._timeout)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedResponse(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self.fp = BufferedReader(_TimedReader(sock))


class _Guarded(HTTPConnection):
    """A connection that calls the guard of the request after it has connected, and before it writes."""

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        guard.ask()
        super().send(data)


class _Http(_Guarded):
    # The answer of a proxy to CONNECT is read by this class too.
    response_class = _TimedResponse


class _Https(_Guarded, HTTPSConnection):
    response_class = _TimedResponse


class _Public(HTTPConnection):
    """A connection that never leads into a private network, whatever address the name of the host resolves to."""

    def _new_conn(self) -> socket.socket:
        # The check before the connection: a refused one and an open one would show what is in the network. The check
        # after it: the name may resolve to another address the second time.
        with suppress(OSError):  # an unknown name fails below
            host = self.host.strip("[]")
            for *_, address in socket.getaddrinfo(host, self.port):
                _check(address)
        sock: socket.socket = super()._new_conn()
        try:
            _check(sock.getpeername())
        except PrivateAddress:
            sock.close()
            raise
        return sock


def _check(address: Any) -> None:
    if not is_public(str(address[0]).partition("%")[0]):
        raise PrivateAddress


def is_public(address: str) -> bool:
    """Return whether an IP address is on the public internet. Raises ValueError for a text that is no address."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.is_site_local or any(ip in network for network in _TRANSLATED):
            return False
        ip = ip.ipv4_mapped or ip
    return ip.is_global and not ip.is_multicast


class _PublicHttp(_Public, _Http):
    pass


class _PublicHttps(_Public, _Https):
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _Https


class _PublicHttpPool(HTTPConnectionPool):
    ConnectionCls = _PublicHttp


class _PublicHttpsPool(HTTPSConnectionPool):
    ConnectionCls = _PublicHttps


_ALL: dict[str, Any] = {"http": _HttpPool, "https": _HttpsPool}
_PUBLIC: dict[str, Any] = {"http": _PublicHttpPool, "https": _PublicHttpsPool}


class Connections(HTTPAdapter):
    """The open connections that the next client of this process takes over.

    Most clients make one to three requests, and with TLS a new connection costs more than one. The connections hold no
    part of a credential.
    """

    def __init__(self, *, public_only: bool) -> None:
        self._pools = _PUBLIC if public_only else _ALL
        super().__init__(pool_maxsize=_IDLE_CONNECTIONS)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> PoolManager:
        """Return the manager without a check: a proxy may stand in the private network, and resolves names itself."""
        manager: PoolManager = super().proxy_manager_for(proxy, **kwargs)
        if isinstance(
            manager, ProxyManager
        ):  # the SOCKS manager has connections of its own
            manager.pool_classes_by_scheme = _ALL
        return manager

    def close(self) -> None:
        """Keep the connections, which outlive each session that closes."""


@cache
def connections(*, public_only: bool) -> Connections:
    return Connections(public_only=public_only)


if hasattr(os, "register_at_fork"):  # Windows has no fork
    # Two processes on one connection would read each other's answers.
    os.register_at_fork(after_in_child=connections.cache_clear)
