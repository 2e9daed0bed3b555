"""Servers that speak raw bytes, over TCP or TLS, and what they were sent."""

import datetime as dt
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from threading import Thread

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@contextmanager
def serve(
    handle: Callable[[socket.socket], None], context: ssl.SSLContext | None = None
) -> Iterator[int]:
    """The port of a server that calls `handle` with each connection."""

    def answer(connection):
        with suppress(OSError):  # a client that hangs up
            if context:
                connection = context.wrap_socket(connection, server_side=True)
            with connection:
                handle(connection)

    def accept():
        with suppress(OSError):  # closed at the end
            while True:
                Thread(target=answer, args=listener.accept()[:1], daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def read_head(connection) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        piece = connection.recv(4096)
        if not piece:
            raise ConnectionError
        head += piece
    return head


def drip(connection, text: bytes, *, every: float = 0.05) -> None:
    for byte in text:
        connection.sendall(bytes([byte]))
        time.sleep(every)


def self_signed(directory) -> ssl.SSLContext:
    """For 127.0.0.1; its certificate is in `directory` as cert.pem."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    address = x509.IPAddress(ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    (directory / "cert.pem").write_bytes(certificate.public_bytes(pem))
    (directory / "key.pem").write_bytes(private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "cert.pem", directory / "key.pem")
    return context
