"""The answer of an ASGI application on its way out, and the moment at which the claim is settled.

A 2xx commits just before its last message leaves; everything else releases: another status, an exception, a
cancellation, an application that returns without finishing its answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hooklatch.cors import missing

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from hooklatch.errors import Headers
    from hooklatch.settle_async import AsyncSettlement


class Outgoing:
    """Runs the application for one request and settles its claim."""

    __slots__ = ("_good", "_lines", "_send", "_settlement")

    def __init__(self, send: Send, settlement: AsyncSettlement, lines: Headers) -> None:
        """*lines*: header lines that every answer of the route carries."""
        self._send = send
        self._settlement = settlement
        self._lines = lines
        self._good = False

    async def run(self, app: ASGIApp, scope: Scope, receive: Receive) -> None:
        """Await *app*; whatever it leaves unsettled is released."""
        try:
            await app(scope, receive, self.send)
        finally:
            if self._settlement.pending:
                await self._settlement.finish(good=False)

    async def send(self, message: Message) -> None:
        """Pass *message* on, unknown kinds included; settle before the last one."""
        kind = message["type"]
        if kind == "http.response.start":
            self._good = 200 <= message["status"] < 300  # noqa: PLR2004 - the 2xx are the language of HTTP
            if self._lines:
                message = {**message, "headers": self._with_lines(list(message.get("headers", ())))}
        elif self._settlement.pending and _is_last(kind, message):
            await self._settlement.finish(good=self._good)
        await self._send(message)

    def _with_lines(self, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        texts = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
        return headers + [(name.encode(), value.encode("latin-1")) for name, value in missing(self._lines, texts)]


def _is_last(kind: str, message: Message) -> bool:
    if kind in {"http.response.body", "http.response.zerocopysend"}:
        return not message.get("more_body", False)
    return kind == "http.response.pathsend"
