"""The floor: the least a hand-written middleware can do for one sender with ``t=...,v1=...`` and still be correct.

HMAC-SHA256 of ``{t}.{body}``, keyed once; comparison in constant time; age; the body readable again for the
application. One sender, one secret, no limit, no path, no duplicates, no log: a product is measured from here.
"""

# ruff: noqa: ANN401 - applications take whatever a server gives

from __future__ import annotations

import hashlib
import io
import time
from hmac import compare_digest
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_AGE: Final = 300.0
PIECE: Final = 1 << 16

_INNER: Final = bytes(byte ^ 0x36 for byte in range(256))
_OUTER: Final = bytes(byte ^ 0x5C for byte in range(256))


class KeyedHMAC:
    """HMAC-SHA256 of which only the copying of two keyed states is paid per message."""

    def __init__(self, secret: str) -> None:
        block = secret.encode().ljust(64, b"\0")
        self.inner = hashlib.sha256(block.translate(_INNER))
        self.outer = hashlib.sha256(block.translate(_OUTER))

    def start(self) -> Any:
        return self.inner.copy()

    def tag(self, running: Any) -> bytes:
        outer = self.outer.copy()
        outer.update(running.digest())
        tag: bytes = outer.digest()
        return tag


class RefusedError(Exception):
    """The request does not hold."""


class Check:
    """One request's check: the head when it is made, the body as it comes."""

    __slots__ = ("_key", "_offered", "_running", "update")

    def __init__(self, key: KeyedHMAC, header: bytes) -> None:
        sent, _, offered = header.partition(b",v1=")
        time_text = sent[2:]
        if not sent.startswith(b"t=") or not time_text.isdigit() or abs(time.time() - int(time_text)) > MAX_AGE:
            raise RefusedError
        try:
            self._offered = bytes.fromhex(offered.decode("ascii"))
        except ValueError as bad:
            raise RefusedError from bad
        self._key = key
        self._running = key.start()
        self._running.update(time_text + b".")
        self.update = self._running.update

    def finish(self) -> None:
        if not compare_digest(self._key.tag(self._running), self._offered):
            raise RefusedError


class FloorWSGI:
    """The floor for WSGI."""

    def __init__(self, app: Any, secret: str) -> None:
        self.app = app
        self.key = KeyedHMAC(secret)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        try:
            check = Check(self.key, environ.get("HTTP_STRIPE_SIGNATURE", "").encode("latin-1"))
            body = self._read(environ, check)
            check.finish()
        except RefusedError:
            start_response("401 Unauthorized", [("Content-Length", "0")])
            return []
        environ["wsgi.input"] = io.BytesIO(body)
        answer: Iterable[bytes] = self.app(environ, start_response)
        return answer

    @staticmethod
    def _read(environ: dict[str, Any], check: Check) -> bytes:
        source = environ["wsgi.input"]
        left = int(environ.get("CONTENT_LENGTH") or 0)
        pieces = []
        while left > 0:
            piece = source.read(min(left, PIECE))
            if not piece:
                raise RefusedError
            check.update(piece)
            pieces.append(piece)
            left -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


class FloorASGI:
    """The floor for ASGI."""

    def __init__(self, app: Any, secret: str) -> None:
        self.app = app
        self.key = KeyedHMAC(secret)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        header = b""
        for name, value in scope["headers"]:
            if name == b"stripe-signature":
                header = value
                break
        try:
            check = Check(self.key, header)
            pieces = []
            more = True
            while more:
                message = await receive()
                if message["type"] != "http.request":
                    return
                piece = message.get("body", b"")
                check.update(piece)
                pieces.append(piece)
                more = message.get("more_body", False)
            check.finish()
        except RefusedError:
            await send({"type": "http.response.start", "status": 401, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body", "body": b""})
            return
        body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        given = False

        async def replay() -> Any:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, replay, send)
