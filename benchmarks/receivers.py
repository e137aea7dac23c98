"""The applications that are measured, bare and with each way of checking a delivery inside them."""

# ruff: noqa: ANN401, ARG001, PLC0415 - applications take what a server gives; a peer is imported where it is used

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import floor
import senders
from hooklatch import asgi, wsgi
from hooklatch.providers import GITHUB, STANDARD_WEBHOOKS, STRIPE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from starlette.requests import Request

    from senders import Scheme

    Verify = Callable[[dict[str, str], bytes], object]
    """Raises for a delivery that does not hold."""


# ---- what a handler may call


def by_hand(secret: str) -> Verify:
    key = floor.KeyedHMAC(secret)

    def verify(headers: dict[str, str], body: bytes) -> None:
        check = floor.Check(key, headers["stripe-signature"].encode("latin-1"))
        check.update(body)
        check.finish()

    return verify


def standardwebhooks(secret: str) -> Verify:
    from standardwebhooks.webhooks import Webhook

    webhook = Webhook(secret)
    return lambda headers, body: webhook.verify(body, headers)


def svix(secret: str) -> Verify:
    from svix.webhooks import Webhook

    webhook = Webhook(secret)
    return lambda headers, body: webhook.verify(body, headers)


def stripe_header(secret: str) -> Verify:
    from stripe import WebhookSignature

    # It wants text, as ``construct_event`` gives it.
    return lambda headers, body: WebhookSignature.verify_header(
        body.decode(), headers["stripe-signature"], secret, tolerance=300
    )


def stripe_event(secret: str) -> Verify:
    from stripe import Webhook

    return lambda headers, body: Webhook.construct_event(body, headers["stripe-signature"], secret)


def slack(secret: str) -> Verify:
    from slack_sdk.signature import SignatureVerifier

    verifier = SignatureVerifier(secret)

    def verify(headers: dict[str, str], body: bytes) -> None:
        if not verifier.is_valid(body, headers["x-slack-request-timestamp"], headers["x-slack-signature"]):
            raise floor.RefusedError

    return verify


def gidgethub(secret: str) -> Verify:
    from gidgethub.sansio import validate_event

    return lambda headers, body: validate_event(body, signature=headers["x-hub-signature-256"], secret=secret)


PEERS: Final[dict[str, tuple[Scheme, Callable[[str], Verify]]]] = {
    "hand-written": (senders.TIMED, by_hand),
    "standardwebhooks": (senders.STANDARD, standardwebhooks),
    "svix": (senders.STANDARD, svix),
    "stripe verify_header": (senders.TIMED, stripe_header),
    "stripe construct_event": (senders.TIMED, stripe_event),
    "slack-sdk": (senders.SLACK, slack),
    "gidgethub": (senders.GITHUB, gidgethub),
}


def nothing(headers: dict[str, str], body: bytes) -> None:
    """Check nothing: the bare application."""


# ---- the same handler in every kind of application: read the body, check, answer 204


START: Final = {"type": "http.response.start", "status": 204, "headers": []}
REFUSED: Final = {"type": "http.response.start", "status": 401, "headers": []}
END: Final = {"type": "http.response.body", "body": b"", "more_body": False}


class RawASGI:
    """An application without a framework."""

    def __init__(self, verify: Verify = nothing, names: Iterable[str] = ()) -> None:
        self.verify = verify
        self.names = {name.encode(): name for name in names}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        body = message["body"]
        if message["more_body"]:
            pieces = [body]
            while message["more_body"]:
                message = await receive()
                pieces.append(message["body"])
            body = b"".join(pieces)
        if self.names:
            known = self.names
            try:
                self.verify({known[k]: v.decode("latin-1") for k, v in scope["headers"] if k in known}, body)
            except Exception:  # noqa: BLE001 - every peer has errors of its own
                await send(REFUSED)
                await send(END)
                return
        await send(START)
        await send(END)


class RawWSGI:
    """An application without a framework."""

    def __init__(self, verify: Verify = nothing, names: Iterable[str] = ()) -> None:
        self.verify = verify
        self.names = {name: f"HTTP_{name.upper().replace('-', '_')}" for name in names}

    def __call__(self, environ: Any, start_response: Any) -> list[bytes]:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        if self.names:
            try:
                self.verify({name: environ[key] for name, key in self.names.items() if key in environ}, body)
            except Exception:  # noqa: BLE001 - every peer has errors of its own
                start_response("401 Unauthorized", [])
                return []
        start_response("204 No Content", [])
        return []


def starlette(verify: Verify = nothing, names: Iterable[str] = ()) -> Any:
    from starlette.applications import Starlette
    from starlette.responses import Response
    from starlette.routing import Route

    wanted = tuple(names)

    async def hook(request: Request) -> Response:
        body = await request.body()
        try:
            verify({name: request.headers[name] for name in wanted}, body)
        except Exception:  # noqa: BLE001
            return Response(status_code=401)
        return Response(status_code=204)

    return Starlette(routes=[Route(senders.PATH, hook, methods=["POST"])])


def base_http_middleware() -> Any:
    """Starlette with the check in a ``BaseHTTPMiddleware``."""
    from starlette.middleware.base import BaseHTTPMiddleware
    from starlette.responses import Response

    verify = by_hand(senders.SECRET)

    class Verified(BaseHTTPMiddleware):
        async def dispatch(self, request: Request, call_next: Any) -> Response:
            try:
                verify({"stripe-signature": request.headers["stripe-signature"]}, await request.body())
            except Exception:  # noqa: BLE001
                return Response(status_code=401)
            answer: Response = await call_next(request)
            return answer

    app = starlette()
    app.add_middleware(Verified)
    return app


def fastapi(verify: Verify = nothing, names: Iterable[str] = ()) -> Any:
    from fastapi import FastAPI, Request, Response

    wanted = tuple(names)
    app = FastAPI(openapi_url=None)

    async def hook(request):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        body = await request.body()
        try:
            verify({name: request.headers[name] for name in wanted}, body)
        except Exception:  # noqa: BLE001
            return Response(status_code=401)
        return Response(status_code=204)

    hook.__annotations__ = {"request": Request}  # the names of this function's imports are no globals
    app.post(senders.PATH, status_code=204)(hook)
    return app


def fastapi_dependency() -> Any:
    """FastAPI with the check in a dependency."""
    from fastapi import Depends, FastAPI, HTTPException, Request, Response

    verify = by_hand(senders.SECRET)
    app = FastAPI(openapi_url=None)

    async def verified(request):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        body = await request.body()
        try:
            verify({"stripe-signature": request.headers["stripe-signature"]}, body)
        except Exception as bad:
            raise HTTPException(401) from bad
        return body

    async def hook(body):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        return Response(status_code=204)

    verified.__annotations__ = {"request": Request}
    hook.__annotations__ = {"body": Annotated[bytes, Depends(verified)]}
    app.post(senders.PATH, status_code=204)(hook)
    return app


def flask(verify: Verify = nothing, names: Iterable[str] = ()) -> Any:
    from flask import Flask, request

    wanted = tuple(names)
    app = Flask(__name__)

    @app.post(senders.PATH)
    def hook() -> tuple[str, int]:
        body = request.get_data()
        try:
            verify({name: request.headers[name] for name in wanted}, body)
        except Exception:  # noqa: BLE001
            return "", 401
        return "", 204

    return app


# ---- hooklatch around an application


TIMED: Final = STRIPE.using(name="timed", id=None)
"""What the floor checks: time and body, nothing read from the body."""

CHAINS: Final[dict[str, tuple[Scheme, Any, dict[str, Any]]]] = {
    "hooklatch": (senders.TIMED, TIMED, {"on_duplicate": "run"}),
    "hooklatch, claimed": (senders.TIMED, TIMED, {}),
    "hooklatch standard_webhooks": (senders.STANDARD, STANDARD_WEBHOOKS, {"on_duplicate": "run"}),
    "hooklatch standard_webhooks, claimed": (senders.STANDARD, STANDARD_WEBHOOKS, {}),
    "hooklatch github": (senders.GITHUB, GITHUB, {"on_duplicate": "run"}),
    "hooklatch stripe": (senders.TIMED, STRIPE, {"on_duplicate": "run"}),
}
"""Claimed: with the duplicate memory of the process. stripe: as shipped, which reads the event's id from the JSON."""


def latched(world: str, app: Any, name: str) -> Any:
    _, record, options = CHAINS[name]
    door: Any = wsgi.WebhookMiddleware if world == "wsgi" else asgi.WebhookMiddleware
    return door(
        app, routes={senders.PATH: record.chain(senders.SECRET, max_body=1 << 30, **options)}, spool_threshold=1 << 30
    )
