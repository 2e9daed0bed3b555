"""The addresses to which Cal.com sends deliveries: `packages/lib/ssrfProtection.ts` of Cal.com's sources."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

#: The metadata services of clouds, to which no server sends.
_METADATA = frozenset(
    {
        *("169.254.169.254", "169.254.169.253", "169.254.170.2", "100.100.100.200"),
        *("metadata.google.internal", "metadata.google.com", "fd00:ec2::254"),
    }
)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0"})  # noqa: S104 - refused


def problem(url: str, *, hosted: bool) -> str:
    """Return the reason why a server does not send to `url`, in Cal.com's words; "" if it does.

    Hosted Cal.com takes https alone and no private address; a self-hosted server takes http and private ones.
    Names are not resolved.
    """
    host = _host(url)
    if host is None:
        return "Invalid URL format"  # [rec 417]
    if host in _METADATA:
        return "Blocked hostname"
    scheme = urlsplit(url).scheme.lower()
    if not hosted:
        web = scheme in ("http", "https")
        return "" if web else "Only HTTP and HTTPS protocols are allowed"
    if scheme != "https":
        return "Only HTTPS URLs are allowed"
    if host in _LOOPBACK:
        return "Blocked hostname"
    return "Private IP address" if _is_private(host) else ""


def _host(url: str) -> str | None:
    """Return the host of a URL in lower case; None for a text that is no URL."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
        _ = parts.port
    except ValueError:
        return None
    return host if parts.scheme and host else None


def _is_private(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        return not (address.ipv4_mapped or address).is_global
    return not address.is_global
