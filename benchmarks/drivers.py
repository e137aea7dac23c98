"""Requests as slices to be measured: each takes how many to send and returns the seconds they took, in either world."""

# ruff: noqa: ANN401, ARG001 - applications take whatever a server gives

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import floor
import senders
from hooklatch.testing import asgi_scope, wsgi_environ
from senders import deliver

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from senders import Scheme, Sent

CHUNK: Final = 1 << 16
SHOWN: Final = 1000
"""Bytes of the body with which a variant is shown to work."""
WARM_UP: Final = 2


class Variant(NamedTuple):
    """An application, and how what is sent to it is signed."""

    scheme: Scheme
    app: Any
    path: str = senders.PATH
    expected: int = 204


class NotRefusedError(Exception):
    """A check that accepts anything is not measured."""


def wsgi_slice(variant: Variant, size: int) -> Callable[[int], Awaitable[float]]:
    expected = str(variant.expected)

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
        if not status.startswith(expected):
            raise AssertionError(status)

    async def run(count: int) -> float:
        app = variant.app
        environs = [environ_of(variant, deliver(variant.scheme, size)) for _ in range(warm(count))]
        for environ in environs[count:]:
            call(app, environ, start_response)
        del environs[count:]
        started = time.perf_counter()
        for environ in environs:
            call(app, environ, start_response)
        return time.perf_counter() - started

    return run


def call(app: Any, environ: Any, start_response: Any) -> None:
    """Do what a server does with the answer."""
    answer = app(environ, start_response)
    for _ in answer:
        pass
    close = getattr(answer, "close", None)
    if close is not None:
        close()


def environ_of(variant: Variant, sent: Sent) -> Any:
    environ = wsgi_environ(("POST", variant.path, sent.headers, b""))
    environ["wsgi.input"] = io.BytesIO(sent.body)
    return environ


def asgi_slice(variant: Variant, size: int, chunk: int) -> Callable[[int], Awaitable[float]]:
    expected = variant.expected

    async def send(message: Any) -> None:
        if message.get("status", expected) != expected:
            raise AssertionError(message)

    async def run(count: int) -> float:
        app = variant.app
        pairs = [scope_and_receive(variant, deliver(variant.scheme, size), chunk) for _ in range(warm(count))]
        for scope, receive in pairs[count:]:
            await app(scope, receive, send)
        del pairs[count:]
        started = time.perf_counter()
        for scope, receive in pairs:
            await app(scope, receive, send)
        return time.perf_counter() - started

    return run


def messages(body: bytes, chunk: int) -> list[dict[str, Any]]:
    made = [{"type": "http.request", "body": piece, "more_body": True} for piece in cut(body, chunk)]
    made[-1]["more_body"] = False
    return made


def cut(body: bytes, chunk: int) -> Iterator[bytes]:
    return (body[start : start + chunk] for start in range(0, len(body), chunk)) if chunk else iter((body,))


def scope_and_receive(variant: Variant, sent: Sent, chunk: int) -> tuple[Any, Any]:
    scope = asgi_scope(("POST", variant.path, sent.headers, b""))
    scope["state"] = {}
    give = iter(messages(sent.body, chunk)).__next__

    async def receive() -> Any:
        return give()

    return scope, receive


def warm(count: int) -> int:
    """Return how many requests to make for *count* timed ones."""
    return count + min(WARM_UP, count)


def hmac_slice(size: int, chunk: int, *, last: bool = False) -> Callable[[int], Awaitable[float]]:
    """Return the keyed HMAC alone: two copied states, what stands before the body, the body."""
    key = floor.KeyedHMAC(senders.SECRET)
    inner, outer = key.inner, key.outer

    async def run(count: int) -> float:
        bodies = [list(cut(senders.body_of(size), chunk)) for _ in range(count)]
        started = time.perf_counter()
        for pieces in bodies:
            running = inner.copy()
            running.update(b"1700000000.")
            for piece in [b"".join(pieces)] if last else pieces:
                running.update(piece)
            finishing = outer.copy()
            finishing.update(running.digest())
            finishing.digest()
        return time.perf_counter() - started

    return run


async def prove(variants: dict[str, Variant], world: str) -> None:
    """Raise ``NotRefusedError`` unless every variant accepts what is genuine and refuses what is tampered with."""

    def altered(sign: Callable[[bytes], dict[str, str]]) -> Callable[[bytes], dict[str, str]]:
        return lambda body: sign(body + b" ")

    for name, variant in variants.items():
        tampered = variant._replace(scheme=variant.scheme._replace(sign=altered(variant.scheme.sign)))
        for tried, expected in ((variant, 204), (tampered, 204 if name == "bare" else 401)):
            one = tried._replace(expected=expected)
            try:
                await (wsgi_slice(one, SHOWN) if world == "wsgi" else asgi_slice(one, SHOWN, 0))(1)
            except AssertionError as wrong:
                msg = f"{world} {name}: {expected} was expected, {wrong} came"
                raise NotRefusedError(msg) from wrong
