"""What is decided before the application: refusals on the head, paths that are no route, how soon after the body."""

# ruff: noqa: ANN401, ARG005 - applications take whatever a server gives

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import floor
import receivers
import senders
from drivers import CHUNK, Variant, asgi_slice, call, environ_of, hmac_slice, messages, scope_and_receive, wsgi_slice
from hooklatch.testing import asgi_scope
from rounds import Timed, measure
from senders import deliver

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

KB: Final = 1000


async def head_and_elsewhere(world: str, seconds: float) -> dict[str, Timed]:
    """Measure a request without a signature, whose body nobody reads, and one to a path that is no route."""
    plain = receivers.RawWSGI() if world == "wsgi" else receivers.RawASGI()
    app = receivers.latched(world, plain, "hooklatch, claimed")
    refused = Variant(senders.NOBODY, app, expected=401)
    variants = {
        "bare": Variant(senders.NOBODY, plain, path="/elsewhere"),
        "untouched": Variant(senders.NOBODY, app, path="/elsewhere"),
    }
    unread(world, refused)
    if world == "wsgi":
        slices = {name: wsgi_slice(variant, KB) for name, variant in variants.items()}
        return await measure({**slices, "refused": wsgi_slice(refused, KB)}, seconds)
    await unread_asgi(refused)
    slices = {name: asgi_slice(variant, KB, 0) for name, variant in variants.items()}
    return await measure({**slices, "refused": asgi_slice(refused, KB, 0)}, seconds)


def unread(world: str, refused: Variant) -> None:
    """Show that a refusal on the head leaves the body where it is."""
    if world == "wsgi":
        environ = environ_of(refused, deliver(refused.scheme, KB))
        call(refused.app, environ, lambda status, headers, exc_info=None: None)
        if environ["wsgi.input"].tell():
            msg = "a request without a signature had its body read"
            raise AssertionError(msg)


async def unread_asgi(refused: Variant) -> None:
    async def receive() -> Any:
        msg = "a request without a signature had its body read"
        raise AssertionError(msg)

    async def send(message: Any) -> None:
        pass

    scope, _ = scope_and_receive(refused, deliver(refused.scheme, KB), 0)
    await refused.app(scope, receive, send)


async def last_chunk(size: int, seconds: float) -> dict[str, Timed]:
    """Measure from handing over the last of the 64 KiB chunks to the start of the application's own work."""

    class Mark:
        given = 0.0
        spent = 0.0

    def until(verify: Any) -> Any:
        """Return *verify*, after which the handler begins to work."""

        def verified(headers: dict[str, str], body: bytes) -> None:
            verify(headers, body)
            Mark.spent += time.perf_counter() - Mark.given

        return verified

    class Begins:
        """An application that is called when the decision is made."""

        def __init__(self) -> None:
            self.app = receivers.RawASGI()

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            Mark.spent += time.perf_counter() - Mark.given
            await self.app(scope, receive, send)

    def marked(variant: Variant) -> Callable[[int], Awaitable[float]]:
        async def send(message: Any) -> None:
            if message.get("status", 204) != 204:  # noqa: PLR2004
                raise AssertionError(message)

        async def run(count: int) -> float:
            pairs = []
            for _ in range(count):
                sent = deliver(variant.scheme, size)
                pairs.append((asgi_scope(("POST", variant.path, sent.headers, b"")), messages(sent.body, CHUNK)))
            Mark.spent = 0.0
            for scope, events in pairs:
                give = iter(events)

                async def receive(give: Any = give) -> Any:
                    message = next(give)
                    if not message["more_body"]:
                        Mark.given = time.perf_counter()
                    return message

                await variant.app(scope, receive, send)
            return Mark.spent

        return run

    variants = {
        "floor": Variant(senders.TIMED, floor.FloorASGI(Begins(), senders.SECRET)),
        "hooklatch": Variant(senders.TIMED, receivers.latched("asgi", Begins(), "hooklatch")),
    }
    for name in ("standardwebhooks", "svix", "slack-sdk", "gidgethub"):
        scheme, peer = receivers.PEERS[name]
        variants[name] = Variant(scheme, receivers.RawASGI(until(peer(senders.SECRET)), scheme.names))
    slices = {name: marked(variant) for name, variant in variants.items()}
    return await measure({"hashed at the end": hmac_slice(size, CHUNK, last=True), **slices}, seconds)
