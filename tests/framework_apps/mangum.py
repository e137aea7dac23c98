"""AWS Lambda through Mangum: an event goes in, a dictionary comes out."""

from __future__ import annotations

import asyncio
import base64
from contextlib import closing
from typing import TYPE_CHECKING, Any

from mangum import Mangum

from framework_apps.starlette import application
from framework_record import HandlerError, Record
from hooklatch.asgi import WebhookMiddleware
from hooklatch.testing import Answered

if TYPE_CHECKING:
    from framework_record import Post
    from hooklatch import Delivery


def event(delivery: Delivery) -> dict[str, Any]:
    """Return what API Gateway (payload format 2.0) makes of *delivery*; a body that is no text comes in base64."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": delivery.url,
        "rawQueryString": "",
        "headers": {name.lower(): value for name, value in delivery.headers.items()}
        | {"content-length": str(len(delivery.body)), "host": "example.execute-api.eu-west-1.amazonaws.com"},
        "requestContext": {"http": {"method": delivery.method, "path": delivery.url, "sourceIp": "192.0.2.1"}},
        "body": base64.b64encode(delivery.body).decode(),
        "isBase64Encoded": True,
    }


def called(handler: Mangum) -> Post:
    def post(delivery: Delivery) -> Answered:
        # Mangum takes the thread's event loop, and would make one that nobody closes.
        with closing(asyncio.new_event_loop()) as loop:
            asyncio.set_event_loop(loop)
            try:
                answer: dict[str, Any] = handler(event(delivery), {})  # type: ignore[arg-type]
            except HandlerError:
                return Answered(500, (), b"")
            finally:
                asyncio.set_event_loop(None)
        body = answer["body"]
        content = base64.b64decode(body) if answer["isBase64Encoded"] else body.encode()
        return Answered(answer["statusCode"], tuple(answer["headers"].items()), content)

    return post


def build(record: Record, **settings: Any) -> Post:
    return called(Mangum(WebhookMiddleware(application(record), **settings), lifespan="off"))


BUILDS = {"mangum": build}
