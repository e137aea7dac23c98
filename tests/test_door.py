"""What both doors do alike: they refuse the other world's applications, and let refusals be rendered."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from starlette.applications import Starlette

from hooklatch import ConfigError
from hooklatch.asgi import WebhookMiddleware as ASGIWebhookMiddleware
from hooklatch.errors import Rejected
from hooklatch.providers import GITHUB
from hooklatch.testing import Request
from hooklatch.wsgi import WebhookMiddleware as WSGIWebhookMiddleware
from worlds import Endpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATH = "/hooks/github"
ROUTES = {PATH: GITHUB.chain("a secret of sixteen")}
UNSIGNED = Request("POST", PATH, {"content-type": "application/json"}, b"{}")


def wsgi_function(environ: Any, start_response: Any) -> list[bytes]:
    return []


async def asgi_function(scope: Any, receive: Any, send: Any) -> None: ...


class WSGIObject:
    def __call__(self, environ: Any, start_response: Any) -> list[bytes]:
        return []


class WSGIClass:
    """PEP 3333's second form: calling the class is calling the application."""

    def __init__(self, environ: Any, start_response: Any) -> None: ...

    def __iter__(self) -> Iterator[bytes]:
        return iter(())


class ASGIObject:
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...


def either(*arguments: Any) -> Any: ...


def three(scope: Any, receive: Any, send: Any) -> Any:
    return asgi_function(scope, receive, send)


WSGI = [wsgi_function, WSGIObject(), WSGIClass, Flask("made"), functools.partial(three, None)]
ASGI = [asgi_function, ASGIObject(), Starlette(), functools.partial(asgi_function), ASGIObject().__call__]
UNTOLD = [either, three, object(), functools.partial(either)]


@pytest.mark.parametrize("app", WSGI)
def test_the_asgi_door_refuses_a_wsgi_application_and_names_the_right_module(app: Any) -> None:
    WSGIWebhookMiddleware(app, routes=ROUTES)
    with pytest.raises(ConfigError, match=r"a WSGI application.* use hooklatch\.wsgi\.WebhookMiddleware"):
        ASGIWebhookMiddleware(app, routes=ROUTES)


@pytest.mark.parametrize("app", ASGI)
def test_the_wsgi_door_refuses_an_asgi_application_and_names_the_right_module(app: Any) -> None:
    ASGIWebhookMiddleware(app, routes=ROUTES)
    with pytest.raises(ConfigError, match=r"an ASGI application.* use hooklatch\.asgi\.WebhookMiddleware"):
        WSGIWebhookMiddleware(app, routes=ROUTES)


@pytest.mark.parametrize("app", UNTOLD)
def test_what_cannot_be_told_passes_both_doors(app: Any) -> None:
    ASGIWebhookMiddleware(app, routes=ROUTES)
    WSGIWebhookMiddleware(app, routes=ROUTES)


def test_the_doors_fit_into_each_other_but_not_across() -> None:
    wsgi = WSGIWebhookMiddleware(wsgi_function, routes=ROUTES)
    asgi = ASGIWebhookMiddleware(asgi_function, routes=ROUTES)
    WSGIWebhookMiddleware(wsgi, routes=ROUTES)
    ASGIWebhookMiddleware(asgi, routes=ROUTES)
    with pytest.raises(ConfigError, match=r"hooklatch\.asgi"):
        WSGIWebhookMiddleware(asgi, routes=ROUTES)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"hooklatch\.wsgi"):
        ASGIWebhookMiddleware(wsgi, routes=ROUTES)  # type: ignore[arg-type]


def test_a_refusal_is_rendered_by_the_application(endpoint: Callable[..., Endpoint]) -> None:
    def render(refusal: Rejected) -> tuple[str, bytes]:
        return "text/html", f"<h1>{refusal.status}</h1>".encode()

    made = endpoint(routes=ROUTES, render=render)
    answered = made.post(UNSIGNED)
    assert (answered.status, answered.body) == (401, b"<h1>401</h1>")
    assert answered.header("content-type") == "text/html"
    assert answered.header("content-length") == "12"
    assert answered.header("www-authenticate")
    assert answered.header("cache-control") == "no-store"
    assert made.reason == "signature_missing"


def test_a_refusal_can_be_empty(endpoint: Callable[..., Endpoint]) -> None:
    answered = endpoint(routes=ROUTES, render=lambda _: ("", b"")).post(UNSIGNED)
    assert (answered.status, answered.body, answered.header("content-length")) == (401, b"", "0")


def failing(refusal: Rejected) -> tuple[str, bytes]:
    raise LookupError(refusal.reason)


@pytest.mark.parametrize(
    "render",
    [
        failing,
        lambda _: None,
        lambda _: ("text/plain", "text"),
        lambda _: ("a\r\nset-cookie: b", b""),
        lambda _: (1, b""),
    ],
    ids=["raises", "nothing", "text", "a header of its own", "a number"],
)
def test_a_renderer_that_fails_makes_no_difference_to_the_refusal(
    render: Any, endpoint: Callable[..., Endpoint], caplog: pytest.LogCaptureFixture
) -> None:
    made = endpoint(routes=ROUTES, render=render)
    answered = made.post(UNSIGNED)
    assert (answered.status, answered.header("content-type")) == (401, "application/problem+json")
    assert not made.calls
    assert "render failed" in caplog.text


def test_what_is_acknowledged_is_not_rendered(endpoint: Callable[..., Endpoint]) -> None:
    made = endpoint(routes=ROUTES, render=failing)
    delivery = GITHUB.sign(b"{}", secret="a secret of sixteen", url=PATH)
    assert [made.post(delivery).status for _ in range(2)] == [200, 200]
    assert made.reason == "duplicate"


def test_a_renderer_that_cannot_be_called_stops_the_start(endpoint: Callable[..., Endpoint]) -> None:
    with pytest.raises(ConfigError, match="render="):
        endpoint(routes=ROUTES, render="text/plain")
