"""For tests of webhook handlers: send a ``Delivery`` to an application without a server, under a clock of your own.

clock = Clock(1_700_000_000)
app = WebhookMiddleware(my_app, routes={"/hooks/stripe": STRIPE.chain(SECRET)}, clock=clock)
delivery = STRIPE.sign(b'{"id":"evt_1"}', secret=SECRET, at=clock(), url="/hooks/stripe")
assert call_wsgi(app, delivery).status == 204
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote_to_bytes, urlsplit

from hooklatch.lines import GivenHeaders

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment
    from starlette.types import ASGIApp, Message, Scope


class Clock:
    """Unix seconds that stand still until told otherwise."""

    def __init__(self, now: float) -> None:
        """*now*: unix seconds."""
        self.now = now

    def __call__(self) -> float:
        """Return the time."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Move on."""
        self.now += seconds


class Answered(NamedTuple):
    """What came back. ``status`` is 0 where nothing was sent."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return the value of the header *name*, None where it is absent; raise ``ValueError`` where it is repeated."""
        found = [value for given, value in self.headers if given.lower() == name.lower()]
        if len(found) > 1:
            msg = f"{name} was sent {len(found)} times"
            raise ValueError(msg)
        return found[0] if found else None


class Request(NamedTuple):
    """A request as raw as a test needs it; a ``Delivery`` has the same four parts."""

    method: str
    url: str
    headers: GivenHeaders
    body: bytes


def call_wsgi(app: WSGIApplication, request: tuple[str, str, GivenHeaders, bytes], **environ: Any) -> Answered:  # noqa: ANN401
    """Send *request* (a ``Delivery`` or ``Request``) to *app* as a server would; *environ* overrides keys."""
    full = wsgi_environ(request)
    for key, value in environ.items():
        full[key.replace("__", ".")] = value
    started: list[tuple[str, list[tuple[str, str]]]] = []
    written: list[bytes] = []

    def start_response(
        status: str,
        headers: list[tuple[str, str]],
        exc_info: Any = None,  # noqa: ANN401 - as PEP 3333 has it
    ) -> Callable[[bytes], object]:
        if exc_info is not None and written:
            raise exc_info[1].with_traceback(exc_info[2])
        started.append((status, headers))
        return written.append

    result = app(full, start_response)
    try:
        for chunk in result:
            written.append(chunk)  # noqa: PERF402 - an exception half way must leave what was written
    finally:
        close = getattr(result, "close", None)
        if close is not None:
            close()
    status, headers = started[-1]
    return Answered(int(status.split(" ", 1)[0]), tuple(headers), b"".join(written))


def wsgi_environ(request: tuple[str, str, GivenHeaders, bytes]) -> WSGIEnvironment:
    """Return the environ of *request*; repeated headers are joined by a comma, as servers do."""
    method, url, headers, body = request
    target = urlsplit(url)
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(target.path or "/").decode("latin-1"),
        "QUERY_STRING": target.query,
        "SERVER_NAME": target.hostname or "localhost",
        "SERVER_PORT": str(target.port or 80),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.1",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": target.scheme or "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in _pairs(headers):
        key = name.upper().replace("-", "_")
        key = key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"
        environ[key] = f"{environ[key]},{value}" if key.startswith("HTTP_") and key in environ else value
    return environ


async def call_asgi(
    app: ASGIApp,
    request: tuple[str, str, GivenHeaders, bytes],
    *,
    events: Iterable[Message] | None = None,
    **scope: Any,  # noqa: ANN401 - a scope holds anything
) -> Answered:
    """Send *request* (a ``Delivery`` or ``Request``) to *app* as a server would.

    *events*: what ``receive`` gives instead of the whole body at once; afterwards it waits until the answer is
    complete, and then reports the sender gone. *scope* overrides keys.
    """
    import anyio  # noqa: PLC0415 - tests of WSGI applications never pay for it

    pending = list(events) if events is not None else [_whole(request[3])]
    sent: list[Message] = []
    complete = anyio.Event()

    async def receive() -> Message:
        if pending:
            return pending.pop(0)
        await complete.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            complete.set()

    await app({**asgi_scope(request), **scope}, receive, send)
    start = next((m for m in sent if m["type"] == "http.response.start"), None)
    if start is None:
        return Answered(0, (), b"")
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in start.get("headers", ()))
    body = b"".join(m.get("body", b"") for m in sent if m["type"] == "http.response.body")
    return Answered(start["status"], headers, body)


def asgi_scope(request: tuple[str, str, GivenHeaders, bytes]) -> Scope:
    """Return the scope of *request*."""
    method, url, headers, body = request
    target = urlsplit(url)
    lines = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in _pairs(headers)]
    if not any(name == b"content-length" for name, _ in lines):
        lines.append((b"content-length", str(len(body)).encode("ascii")))
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": target.scheme or "http",
        "path": unquote_to_bytes(target.path or "/").decode("utf-8", "replace"),
        "raw_path": (target.path or "/").encode("ascii"),
        "query_string": target.query.encode("ascii"),
        "root_path": "",
        "headers": lines,
        "client": ("192.0.2.1", 40000),
        "server": (target.hostname or "localhost", target.port or 80),
    }


def _whole(body: bytes) -> Message:
    return {"type": "http.request", "body": body, "more_body": False}


def _pairs(headers: GivenHeaders) -> Iterable[tuple[str, str]]:
    return headers.items() if isinstance(headers, Mapping) else headers
