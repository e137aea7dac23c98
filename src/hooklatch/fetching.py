"""Reading one small document over HTTPS, for keys that a sender publishes.

Whoever reads an address that a stranger may have named is a tool in his hands. So: ``https`` on its own port, a
certificate that holds, an address on the public network, no redirect, no proxy from the environment, a bound on the
size and one on the time as a whole. Which addresses may be read at all is the record's business.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias
from urllib.parse import urlsplit

Fetcher: TypeAlias = Callable[[str], bytes]
"""Returns the document at a URL, or raises any exception."""

LIMIT: Final = 1 << 16
"""Largest document (bytes)."""

TIMEOUT: Final = 4.0
"""Seconds for everything after the name is resolved."""

PORT: Final = 443

MOMENT: Final = 0.01
"""Seconds that even the last of several addresses is given."""


class FetchError(Exception):
    """The document could not be had, or is none that is taken."""


def fetch(url: str) -> bytes:
    """Return the document at *url*; raise ``FetchError``."""
    return HTTPSFetcher()(url)


class HTTPSFetcher:
    """A ``Fetcher``. *resolve* turns a host name into the addresses and ports to try, in this order."""

    def __init__(
        self,
        *,
        context: ssl.SSLContext | None = None,
        resolve: Callable[[str], Sequence[tuple[str, int]]] | None = None,
        limit: int = LIMIT,
        timeout: float = TIMEOUT,
    ) -> None:
        """*context*: what certificates are trusted, the system's by default; *limit*: bytes; *timeout*: seconds."""
        self._context = context or ssl.create_default_context()
        self._resolve = resolve or public_addresses
        self._limit = limit
        self._timeout = timeout

    def __call__(self, url: str) -> bytes:
        """Return the document at *url*; raise ``FetchError``."""
        try:
            return self._fetch(url)
        except (OSError, http.client.HTTPException, ValueError) as bad:
            msg = f"the document could not be read: {type(bad).__name__}: {bad}"
            raise FetchError(msg) from bad

    def _fetch(self, url: str) -> bytes:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme != "https" or not host or parts.netloc != host or parts.fragment:
            msg = "an address must be https://host/path, without user, port or fragment"
            raise FetchError(msg)
        places = self._resolve(host)
        until = time.monotonic() + self._timeout
        plain = _connected(places, until)
        # A connection that ends without TLS saying so was cut, and what was read is no whole document.
        secure = self._context.wrap_socket(
            plain, server_hostname=host, do_handshake_on_connect=False, suppress_ragged_eofs=False
        )
        # A server that sends byte after byte outlives every timeout of a single read, but not this one.
        watch = threading.Timer(until - time.monotonic(), _hang_up, (secure,))
        watch.daemon = True
        watch.start()
        try:
            secure.do_handshake()
            return self._get(secure, host, f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}")
        finally:
            watch.cancel()
            secure.close()

    def _get(self, secure: ssl.SSLSocket, host: str, target: str) -> bytes:
        connection = http.client.HTTPConnection(host)
        connection.sock = secure
        connection.request("GET", target, headers={"Accept": "*/*", "Accept-Encoding": "identity"})
        with connection.getresponse() as response:
            if response.status != http.HTTPStatus.OK:
                msg = f"the answer has status {response.status}, and only 200 counts"
                raise FetchError(msg)
            document = response.read(self._limit + 1)
            if len(document) > self._limit:
                msg = f"the document is larger than {self._limit} bytes"
                raise FetchError(msg)
            if response.length:
                msg = "the document is incomplete"
                raise FetchError(msg)
            return document


def public_addresses(host: str) -> list[tuple[str, int]]:
    """Return the addresses of *host*, with the port of HTTPS; raise ``FetchError`` if one of them is not public.

    The connection is made to what was looked at here: asking for the name again could be answered otherwise.
    """
    found = [str(place[0]) for *_, place in socket.getaddrinfo(host, PORT, type=socket.SOCK_STREAM)]
    if not found or not all(ipaddress.ip_address(address.partition("%")[0]).is_global for address in found):
        msg = f"{host} has an address that is not on the public network"
        raise FetchError(msg)
    return [(address, PORT) for address in found]


def _connected(places: Sequence[tuple[str, int]], until: float) -> socket.socket:
    """Return a connection to the first of *places* that takes one by *until* (monotonic seconds)."""
    for number, place in enumerate(places, 1):
        try:
            return socket.create_connection(place, max(until - time.monotonic(), MOMENT))
        except OSError:
            if number == len(places):
                raise
    msg = "no address to connect to"
    raise FetchError(msg)


def _hang_up(secure: ssl.SSLSocket) -> None:
    with contextlib.suppress(OSError):
        # Not the method of the TLS socket, after which it would go on in plain text.
        socket.socket.shutdown(secure, socket.SHUT_RDWR)
