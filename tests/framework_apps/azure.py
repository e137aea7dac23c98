"""Azure Functions' AsgiMiddleware: a request object goes in, a response object comes out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import azure.functions as func

from framework_apps.starlette import application
from framework_record import HandlerError, Record
from hooklatch.asgi import WebhookMiddleware
from hooklatch.testing import Answered

if TYPE_CHECKING:
    from framework_record import Post
    from hooklatch import Delivery


def handled(middleware: func.AsgiMiddleware) -> Post:
    def post(delivery: Delivery) -> Answered:
        url = f"https://example.azurewebsites.net{delivery.url}"
        request = func.HttpRequest(delivery.method, url, headers=delivery.headers, body=delivery.body)
        try:
            answer = asyncio.run(middleware.handle_async(request))
        except HandlerError:
            return Answered(500, (), b"")
        return Answered(answer.status_code, tuple(answer.headers.items()), answer.get_body())

    return post


def build(record: Record, **settings: Any) -> Post:
    made: Any = func.AsgiMiddleware
    return handled(made(WebhookMiddleware(application(record), **settings)))


BUILDS = {"azure": build}
