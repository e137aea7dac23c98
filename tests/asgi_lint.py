"""A small strict checker of the ASGI HTTP protocol (2.5), to be put on either side of a middleware.

``lint(app)`` is an ASGI application that passes everything on and raises ``LintError`` for what the specification does
not allow, whoever did it: the server (the scope, what ``receive`` gives) or the application (what it sends, and when).
It is stricter than servers are: types are exact, header names lower case, a body is as long as its Content-Length.
"""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

NO_BODY: Final = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}

_MISSING: Final = object()

_SCOPE: Final[dict[str, tuple[type, ...]]] = {
    "asgi": (dict,),
    "http_version": (str,),
    "method": (str,),
    "path": (str,),
    "query_string": (bytes,),
    "headers": (list, tuple),
}
_OPTIONAL: Final[dict[str, tuple[type, ...]]] = {
    "scheme": (str,),
    "raw_path": (bytes, type(None)),
    "root_path": (str,),
    "client": (list, tuple, type(None)),
    "server": (list, tuple, type(None)),
    "state": (dict,),
    "extensions": (dict, type(None)),
}
_EXTENSIONS: Final = {
    "http.response.push",
    "http.response.pathsend",
    "http.response.zerocopysend",
    "http.response.early_hint",
    "http.response.trailers",
    "http.response.debug",
}


class LintError(AssertionError):
    """What the specification does not allow."""


def demand(condition: object, complaint: str) -> None:
    """Raise ``LintError`` unless *condition* holds."""
    if not condition:
        raise LintError(complaint)


def lint(app: ASGIApp) -> ASGIApp:
    """Return *app* under supervision; scopes other than ``http`` pass unsupervised."""

    async def linted(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        check_scope(scope)
        exchange = _Exchange(scope, receive, send)
        await app(scope, exchange.receive, exchange.send)
        exchange.finish()

    return linted


def check_scope(scope: Any) -> None:
    """Raise ``LintError`` for a scope that no server may hand over."""
    demand(type(scope) is dict, f"the scope is a {type(scope).__name__}")
    demand(all(type(key) is str for key in scope), "a key of the scope is no str")
    for key, types in _SCOPE.items():
        demand(key in scope, f"the scope has no {key!r}")
        demand(type(scope[key]) in types, f"scope[{key!r}] is {scope[key]!r}")
    for key, types in _OPTIONAL.items():
        demand(key not in scope or type(scope[key]) in types, f"scope[{key!r}] is {scope.get(key)!r}")
    demand(type(scope["asgi"].get("version")) is str, "scope['asgi'] names no version")
    demand(scope["http_version"] in {"1.0", "1.1", "2", "3"}, f"http_version is {scope['http_version']!r}")
    demand(scope["method"] == scope["method"].upper() != "", f"the method is {scope['method']!r}")
    demand(scope.get("scheme", "http"), "the scheme is empty")
    check_headers(scope["headers"])
    for key in ("client", "server"):
        address = scope.get(key)
        if address is not None:
            demand(len(address) == 2 and type(address[0]) is str, f"scope[{key!r}] is {address!r}")
            demand(type(address[1]) is int or (key == "server" and address[1] is None), f"{key} port {address[1]!r}")


def check_headers(headers: Iterable[Any]) -> None:
    """Raise ``LintError`` for header lines that are no pairs of bytes, or not in lower case."""
    for pair in headers:
        demand(type(pair) in {list, tuple} and len(pair) == 2, f"a header is {pair!r}")
        name, value = pair
        demand(type(name) is bytes and type(value) is bytes, f"a header is no bytes: {pair!r}")
        demand(name and name == name.lower(), f"a header's name is not in lower case: {name!r}")
        demand(not name.startswith(b":"), f"a pseudo header: {name!r}")
        demand(not set(name) & set(b" \t\r\n:\0"), f"a header's name holds what it must not: {name!r}")
        demand(not set(value) & set(b"\r\n\0"), f"a header's value holds what it must not: {value!r}")


class _Exchange:
    """One request and its response."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._body_over = self._gone = False
        self._started = self._over = False
        self._status = 0
        self._promised: int | None = None
        self._size = 0

    async def receive(self) -> Message:
        message = await self._receive()
        demand(type(message) is dict, f"received a {type(message).__name__}")
        kind = message.get("type")
        demand(kind in {"http.request", "http.disconnect"}, f"received a {kind!r}")
        if kind == "http.disconnect":
            self._gone = True
            return message
        demand(not self._gone, "a request's body after the disconnect")
        demand(not self._body_over, "a request's body after its end")
        _demand_types(message, body=bytes, more_body=bool)
        self._body_over = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        demand(type(message) is dict, f"sent a {type(message).__name__}")
        kind = message.get("type")
        demand(type(kind) is str, f"sent a message of type {kind!r}")
        if kind == "http.response.start":
            self._start(message)
        elif kind == "http.response.body":
            _demand_types(message, body=bytes, more_body=bool)
            self._part(len(message.get("body", b"")), more=message.get("more_body", False))
        else:
            self._extra(str(kind), message)
        await self._send(message)

    def _start(self, message: Message) -> None:
        demand(not self._started, "a second start")
        self._started = True
        demand(type(message.get("status")) is int, f"the status is {message.get('status')!r}")
        self._status = message["status"]
        demand(200 <= self._status <= 599, f"the status is {self._status}")
        _demand_types(message, trailers=bool)
        headers = list(message.get("headers", ()))
        check_headers(headers)
        names = [name for name, _ in headers]
        demand(b"transfer-encoding" not in names, "the transfer coding is the server's affair")
        lengths = [value for name, value in headers if name == b"content-length"]
        demand(len(lengths) <= 1, "two lengths")
        for name in (b"content-type", b"location", b"retry-after", b"access-control-allow-origin"):
            demand(names.count(name) <= 1, f"{name!r} twice")
        if lengths:
            demand(lengths[0].isdigit(), f"the length is {lengths[0]!r}")
            demand(self._status not in NO_BODY or self._status == HTTPStatus.NOT_MODIFIED, "a 204 with a length")
            self._promised = int(lengths[0])

    def _part(self, size: int, *, more: bool) -> None:
        demand(self._started, "a body before the start")
        demand(not self._over, "a body after its end")
        self._size += size
        self._over = not more
        if self._status in NO_BODY:
            demand(not self._size, f"a {self._status} with a body")
        elif self._promised is not None and self._scope["method"] != "HEAD":
            demand(self._size <= self._promised, "a body longer than its length")
            demand(more or self._size == self._promised, "a body shorter than its length")

    def _extra(self, kind: str, message: Message) -> None:
        demand(kind in _EXTENSIONS, f"sent a {kind!r}")
        demand(kind in (self._scope.get("extensions") or {}), f"the server has no {kind!r}")
        if kind in {"http.response.pathsend", "http.response.zerocopysend"}:
            demand(self._started, f"{kind} before the start")
            demand(not self._over, f"{kind} after the end of the body")
            _demand_types(message, more_body=bool)
            self._over = not message.get("more_body", False)

    def finish(self) -> None:
        """Raise ``LintError`` unless the response is complete, or nobody is left to get one."""
        if not self._gone:
            demand(self._started, "returned without a response")
            demand(self._over, "returned before the end of the body")


def _demand_types(message: Message, **types: type) -> None:
    for key, expected in types.items():
        found = message.get(key, _MISSING)
        demand(found is _MISSING or type(found) is expected, f"{message['type']}: {key} is {found!r}")
