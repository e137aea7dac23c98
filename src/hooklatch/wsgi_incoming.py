"""A WSGI request on its way in: its header lines, its body as far as it may be read, and the body put back."""

from __future__ import annotations

import contextlib
import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from hooklatch.body import PIECE, Body
from hooklatch.errors import BodyIncomplete, BodyTimeout, LengthMalformed, LengthRequired, RequestAmbiguous

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from _typeshed.wsgi import WSGIEnvironment

DRAIN: Final = 1 << 18
"""Unread bytes of a refused body that are read after the answer; more are left to the server."""

_LONGEST: Final = 20
"""Digits of a length, from which on it is none."""


class EnvironLines:
    """The header lines of a WSGI environ. Servers have joined repeated lines with commas already."""

    __slots__ = ("_environ",)

    def __init__(self, environ: Mapping[str, Any]) -> None:
        """*environ*: read when asked."""
        self._environ = environ

    def all(self, name: str, /) -> Sequence[str]:
        """Return the values of every line called *name* (lower case): here one at most."""
        value = self._environ.get(environ_key(name))
        # Servers write CONTENT_TYPE even where there was none.
        return (value,) if value or (value == "" and name != "content-type") else ()

    def any(self, names: frozenset[str], /) -> bool:
        """Return whether there is a line called by one of the *names* (lower case)."""
        return not self._environ.keys().isdisjoint(environ_keys(names))


class Source:
    """Reads the body as far as it may be read: PEP 3333 forbids to read past CONTENT_LENGTH."""

    __slots__ = ("_body", "_deadline", "_environ", "_timeout", "left", "length")

    def __init__(self, environ: WSGIEnvironment, body: Body, timeout: float) -> None:
        self._environ = environ
        self._body = body
        self._timeout = timeout
        self._deadline = 0.0
        """Monotonic seconds; 0 before the first read."""
        declared = environ.get("CONTENT_LENGTH") or ""
        good = declared.isdecimal() and declared.isascii() and len(declared) < _LONGEST
        self.length = int(declared) if good else None
        self.left = self.length
        """Bytes that may still be read, None where only the server knows the end."""

    def _start(self) -> None:
        """Decide how far to read; raise ``LengthMalformed``, ``LengthRequired`` or ``RequestAmbiguous``."""
        environ = self._environ
        coding = environ.get("HTTP_TRANSFER_ENCODING", "").strip(" \t").lower()
        if coding not in {"", "chunked"}:
            msg = "a transfer coding other than chunked: what arrives is not what was signed"
            raise RequestAmbiguous(msg)
        if self.length is None:
            if environ.get("CONTENT_LENGTH"):
                raise LengthMalformed
            if not environ.get("wsgi.input_terminated"):
                if coding:
                    msg = "a chunked body that the server did not undo; use a server that sets wsgi.input_terminated"
                    raise LengthRequired(msg)
                self.left = 0
        self._deadline = time.monotonic() + self._timeout

    def read(self) -> bytes:
        """Return the next body bytes, ``b""`` at the end; raise ``BodyIncomplete`` for one cut short."""
        if not self._deadline:
            self._start()
        left = self.left
        if left == 0:
            self._body.seal()
            return b""
        size = PIECE if left is None or left > PIECE else left
        chunk = _taken(self._environ, size, self._deadline, self._timeout)
        if chunk:
            if left is not None:
                self.left = left - len(chunk)
            self._body.write(chunk)
        elif left is not None:
            raise _cut_short(left, self.length)
        else:
            self._body.seal()
        return chunk


def drains(environ: WSGIEnvironment) -> bool:
    """Return whether a body may be read after the answer.

    A read that nothing bounds would give the thread to whoever sends no more; gunicorn lets us say how long it waits.
    """
    return "gunicorn.socket" in environ


def drain(environ: WSGIEnvironment, left: int | None) -> None:
    """Read the *left* bytes of a refused body, unless they are many: never a whole upload."""
    if left is None or left > DRAIN or environ.get("HTTP_EXPECT") or not drains(environ):
        return
    # Whatever goes wrong now, the answer has left.
    with contextlib.suppress(Exception):
        until = time.monotonic() + 1
        while left > 0 and (chunk := _taken(environ, min(left, PIECE), until, 1)):
            left -= len(chunk)


def small_body(environ: WSGIEnvironment, length: int, timeout: float) -> bytes:
    """Return the body of *length* bytes in one piece; raise what ``Source.read`` raises. *timeout*: seconds."""
    until = time.monotonic() + timeout
    body = _taken(environ, length, until, timeout)
    return body if len(body) == length else _continued(environ, body, length, until, timeout)


def _continued(environ: WSGIEnvironment, begun: bytes, length: int, until: float, timeout: float) -> bytes:
    """Return the body that begins with what was read of it first."""
    pieces = [begun]
    left = length - len(begun)
    while left:
        piece = _taken(environ, left, until, timeout) if pieces[-1] else b""
        if not piece:
            raise _cut_short(left, length)
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _taken(environ: WSGIEnvironment, size: int, until: float, timeout: float) -> bytes:
    """Read up to *size* bytes; raise ``BodyIncomplete``, or ``BodyTimeout`` after *until* (monotonic seconds)."""
    found: bytes
    try:
        found = _waited(environ, size, until) if "gunicorn.socket" in environ else environ["wsgi.input"].read(size)
    except TimeoutError as late:
        raise _late(timeout) from late
    except Exception as bad:
        # Servers raise errors of their own for a broken body: none of them is our fault, nor a reason for a 500.
        msg = f"reading the body failed: {type(bad).__name__}"
        raise BodyIncomplete(msg) from bad
    # A read that waits is the server's to end; between two reads the deadline is ours.
    if time.monotonic() > until:
        raise _late(timeout)
    return found


def _waited(environ: WSGIEnvironment, size: int, until: float) -> bytes:
    """Read up to *size* bytes, waiting no longer than *until*: gunicorn lets us say so."""
    line = environ["gunicorn.socket"]
    before = line.gettimeout()
    line.settimeout(max(until - time.monotonic(), 0.001))
    try:
        found: bytes = environ["wsgi.input"].read(size)
    finally:
        line.settimeout(before)
    return found


def _late(timeout: float) -> BodyTimeout:
    return BodyTimeout(f"the body did not arrive within {timeout:g} seconds (body_timeout)")


def _cut_short(left: int, length: int | None) -> BodyIncomplete:
    text = f"{left} of {length} bytes are missing: the sender hung up, or an outer layer read the body"
    return BodyIncomplete(text)


def put_back(environ: WSGIEnvironment, body: Body) -> None:
    """Make the body readable again, so that every framework finds it: all four of these are needed."""
    environ["wsgi.input"] = body.open()
    environ["CONTENT_LENGTH"] = str(body.size)
    environ["wsgi.input_terminated"] = True
    environ.pop("HTTP_TRANSFER_ENCODING", None)


def target(environ: Mapping[str, Any]) -> str:
    """Return the target of the request line as servers hand it on, "" where they hide it."""
    return environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""


@lru_cache(maxsize=1024)
def environ_key(name: str) -> str:
    """Return what the header *name* (lower case) is called in an environ."""
    key = name.upper().replace("-", "_")
    return key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"


@lru_cache(maxsize=1024)
def environ_keys(names: frozenset[str]) -> frozenset[str]:
    """Return what the headers *names* (lower case) are called in an environ."""
    return frozenset(map(environ_key, names))
