"""An ASGI request on its way in: its body as it arrives, within a deadline, and captured for the application."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from anyio import to_thread

from hooklatch.body import BATCH, Body
from hooklatch.deadline import at_once, in_time
from hooklatch.digests import FAST_PACE
from hooklatch.drive import pause, turn
from hooklatch.errors import BodyIncomplete, BodyTimeout, ClientDisconnected, LengthMalformed, RequestAmbiguous

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import Message, Receive

    from hooklatch.chain import Chain
    from hooklatch.lines import ByteLines

_LONGEST: Final = 20
"""Digits of a length, from which on it is none."""


class Source:
    """Receives the body in pieces that never hold the event loop for long, within the route's deadline."""

    __slots__ = (
        "_arrived",
        "_body",
        "_chain",
        "_deadline",
        "_first",
        "_headers",
        "_more",
        "_receive",
        "_slices",
        "length",
    )

    def __init__(
        self, receive: Receive, body: Body, headers: ByteLines, chain: Chain, first: Message | None = None
    ) -> None:
        """*first*: a message that has been received already."""
        self._receive = receive
        self._first = first
        self._body = body
        self._headers = headers
        self._chain = chain
        self._deadline = 0.0
        """Monotonic seconds; 0 before the first read."""
        self._more = True
        self._arrived = 0
        self._slices: Iterator[bytes] | None = None
        declared = headers.all("content-length")
        self.length = _length(declared[0].strip(" \t")) if len(declared) == 1 else None

    def _start(self) -> None:
        """Raise ``LengthMalformed`` or ``RequestAmbiguous`` for a body that cannot be told from what follows it."""
        if self.length is None and self._headers.all("content-length"):
            raise LengthMalformed
        if any(coding.strip(" \t").lower() not in {"", "chunked"} for coding in self._headers.all("transfer-encoding")):
            msg = "a transfer coding other than chunked: what arrives is not what was signed"
            raise RequestAmbiguous(msg)
        self._deadline = time.monotonic() + self._chain.body_timeout

    async def read(self) -> bytes:
        """Return the next body bytes, ``b""`` at the end."""
        if self._slices is not None:
            piece = next(self._slices, b"")
            if piece:
                await (turn() if self._chain.pace < FAST_PACE else pause())
                return piece
        while self._more:
            chunk = self._taken(self._first or await self._message())
            self._first = None
            if self._body.full:
                await to_thread.run_sync(self._body.spill)
            if chunk:
                pace = self._chain.pace
                if pace < FAST_PACE:
                    await turn()
                if len(chunk) <= pace:
                    return chunk
                self._slices = (chunk[start : start + pace] for start in range(0, len(chunk), pace))
                return next(self._slices)
        if self.length is not None and self._arrived != self.length:
            msg = f"{self._arrived} bytes arrived, {self.length} were declared; has an outer layer read the body?"
            raise BodyIncomplete(msg)
        if not self._body.sealed:
            await to_thread.run_sync(self._body.seal)
        return b""

    async def _message(self) -> Message:
        if not self._deadline:
            self._start()
        message, rest = at_once(self._receive())
        if rest is not None:
            message = await in_time(rest, self._deadline)
        if message is None or time.monotonic() > self._deadline:
            raise late(self._chain.body_timeout)
        return message

    def _taken(self, message: Message) -> bytes:
        """Return what *message* brings, having held it; raise ``ClientDisconnected``."""
        if message["type"] == "http.disconnect":
            raise ClientDisconnected
        chunk: bytes = message.get("body", b"")
        self._more = message.get("more_body", False)
        self._arrived += len(chunk)
        if chunk and self._arrived <= self._chain.max_body:
            self._body.hold(chunk)
        return chunk


class Again:
    """Gives the application a body that came in one piece, then the server's own ``receive``."""

    __slots__ = ("_content", "_receive")

    def __init__(self, content: bytes, receive: Receive) -> None:
        self._content: bytes | None = content
        self._receive = receive

    async def __call__(self) -> Message:
        """Return the next message."""
        content, self._content = self._content, None
        if content is None:
            return await self._receive()
        return {"type": "http.request", "body": content, "more_body": False}


class Replay:
    """Gives the application the captured body, then the server's own ``receive``.

    An invented ``http.disconnect`` would cut streaming responses short.
    """

    __slots__ = ("_body", "_offset", "_over", "_receive")

    def __init__(self, body: Body, receive: Receive) -> None:
        self._body = body
        self._receive = receive
        self._offset = 0
        self._over = False

    async def __call__(self) -> Message:
        """Return the next message."""
        if self._over:
            return await self._receive()
        if not self._body.on_disk:
            self._over = True
            return {"type": "http.request", "body": self._body.whole(), "more_body": False}
        piece = await to_thread.run_sync(self._body.at, self._offset, BATCH)
        self._offset += len(piece)
        self._over = self._offset >= self._body.size
        return {"type": "http.request", "body": piece, "more_body": not self._over}


def late(timeout: float) -> BodyTimeout:
    """Return the refusal of a body that took longer than *timeout* seconds."""
    return BodyTimeout(f"the body did not arrive within {timeout:g} seconds (body_timeout)")


def _length(declared: str) -> int | None:
    """Return the number of bytes that *declared* says, None where it is no number."""
    good = declared.isdecimal() and declared.isascii() and len(declared) < _LONGEST
    return int(declared) if good else None
