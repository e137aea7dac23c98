"""Both doors under supervision: on either side stands a checker of the protocol, and has nothing to report."""

from __future__ import annotations

import io
import warnings
import wsgiref.validate
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import anyio
import pytest

from asgi_lint import LintError, lint
from hooklatch import Delivery, Webhook
from hooklatch.asgi import WebhookMiddleware as ASGIWebhookMiddleware
from hooklatch.errors import StoreUnavailable
from hooklatch.providers import GITHUB, STRIPE
from hooklatch.stores import MemoryStore
from hooklatch.testing import Answered, Request, asgi_scope, call_asgi, call_wsgi
from hooklatch.types import Claim, Standing
from hooklatch.wsgi import WebhookMiddleware as WSGIWebhookMiddleware
from worlds import NOW

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # webob imports cgi
    import webtest.lint

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECRET = "the-secret-of-this-route"
HOOK = "/hooks/github"
SHOP = "https://shop.example"
LARGE = bytes(range(256)) * 600


def push(body: bytes = b'{"a":1}', *, secret: str = SECRET, url: str = HOOK, **headers: str) -> Delivery:
    return GITHUB.sign(body, secret=secret, url=url, headers={"content-type": "application/json", **headers})


def settings() -> dict[str, Any]:
    return {
        "routes": {
            HOOK: GITHUB.chain(SECRET, cors=[SHOP], methods=["POST", "GET", "HEAD"], max_body=1 << 20),
            "/reject": GITHUB.chain(SECRET, on_duplicate="reject"),
            "/run": GITHUB.chain(SECRET, on_duplicate="run"),
            "/test": GITHUB.chain(SECRET, test_agents=["QA/*"]),
            "/stripe": STRIPE.chain(SECRET),
        },
        "protect": ["/hooks/*"],
        "spool_threshold": 100_000,
        "clock": lambda: NOW,
    }


class Down(MemoryStore):
    """A store that is down."""

    def claim(self, _claim: Claim, /) -> Standing:
        raise StoreUnavailable


# Each case: the requests, of which the last is looked at; the status it gets; the settings.
CASES: dict[str, tuple[list[Request | Delivery], int, dict[str, Any]]] = {
    "accepted": ([push()], 200, {}),
    "accepted with an origin": ([push(origin=SHOP)], 200, {}),
    "accepted without a body": ([push(b"")], 200, {}),
    "accepted from disk": ([push(LARGE)], 200, {}),
    "accepted as GET": ([GITHUB.sign(b"", secret=SECRET, url=HOOK, method="GET")], 200, {}),
    "accepted as HEAD": ([GITHUB.sign(b"", secret=SECRET, url=HOOK, method="HEAD")], 200, {}),
    "accepted without memory": ([push(url="/run"), push(url="/run")], 200, {}),
    "passed through": ([push(url="/other")], 200, {}),
    "passed through odd": ([push(url="/other/%2e%2e//x")], 200, {}),
    "refused: forged": ([push(secret="not-the-secret-of-this-route")], 401, {}),
    "refused: forged, large": ([push(LARGE, secret="not-the-secret-of-this-route")], 401, {}),
    "refused: unsigned": ([Request("POST", HOOK, {}, b"{}")], 401, {}),
    "refused: HEAD": ([Request("HEAD", HOOK, {}, b"")], 401, {}),
    "refused: told why": ([Request("POST", HOOK, {}, b"{}")], 401, {"debug": True}),
    "refused: stale": ([STRIPE.sign(b"{}", secret=SECRET, at=NOW - 400, url="/stripe")], 401, {}),
    "refused: protected": ([push(url="/hooks/other")], 401, {}),
    "refused: ambiguous": ([push(url="/hooks//github")], 400, {}),
    "refused: method": ([push()._replace(method="DELETE")], 405, {}),
    "refused: too large": ([push(bytes((1 << 20) + 1))], 413, {}),
    "refused: cut short": ([Request("POST", HOOK, {**push().headers, "content-length": "99"}, b"{}")], 400, {}),
    "refused: origin": ([push(origin="https://evil.example")], 403, {}),
    "refused: altered": ([push(), push(url=f"{HOOK}?x=1")], 409, {}),
    "refused: duplicate": ([push(url="/reject"), push(url="/reject")], 409, {}),
    "refused: store down": ([push()], 503, {"store": Down()}),
    "acknowledged: duplicate": ([push(), push()], 200, {}),
    "acknowledged: duplicate with an origin": ([push(origin=SHOP), push(origin=SHOP)], 200, {}),
    "acknowledged: test": ([GITHUB.sign(b"", secret=SECRET, url="/test", headers={"user-agent": "QA/1"})], 200, {}),
    "acknowledged: preflight": (
        [Request("OPTIONS", HOOK, {"origin": SHOP, "access-control-request-method": "POST"}, b"")],
        204,
        {},
    ),
}


# WSGI

WSGI_LINTS: dict[str, Callable[[WSGIApplication], Any]] = {
    "wsgiref": wsgiref.validate.validator,
    "webtest": webtest.lint.middleware,
}
SIDES = {"outside": (True, False), "inside": (False, True), "both sides": (True, True)}


def read(environ: WSGIEnvironment) -> int:
    """Read the body as a careful application does, never without a size."""
    size = 0
    left = int(environ.get("CONTENT_LENGTH") or 0)
    while left > 0 and (chunk := environ["wsgi.input"].read(min(left, 10_000))):
        size += len(chunk)
        left -= len(chunk)
    return size


def sized(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    answer = str(read(environ)).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(answer)))])
    return [answer]


def streaming(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
    size = read(environ)
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b""
    yield str(size).encode()
    yield b""


def late(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return iter([str(read(environ)).encode()])


def written(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    write = start_response("200 OK", [("Content-Type", "text/plain")])
    write(b"")
    write(str(read(environ)).encode())
    return []


WSGI_APPS: dict[str, WSGIApplication] = {"list": sized, "generator": streaming, "iterator": late, "write": written}


def linted_wsgi(
    app: WSGIApplication, side: str, linter: str, requests: list[Request | Delivery], given: dict[str, Any]
) -> tuple[Answered, str]:
    """Send *requests* to *app*; return the last answer, and what the checkers wrote to ``wsgi.errors``."""
    outside, inside = SIDES[side]
    check = WSGI_LINTS[linter]
    latched: Any = WSGIWebhookMiddleware(check(app) if inside else app, **{**settings(), **given})
    door = check(latched) if outside else latched
    errors = io.StringIO()
    for request in requests:
        answer = call_wsgi(door, request, wsgi__errors=errors)
    return answer, errors.getvalue()


@pytest.mark.parametrize("linter", WSGI_LINTS)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("case", CASES)
def test_the_wsgi_door_keeps_the_protocol(case: str, side: str, linter: str) -> None:
    requests, status, given = CASES[case]
    answer, reported = linted_wsgi(sized, side, linter, requests, given)
    assert (answer.status, reported) == (status, "")


@pytest.mark.parametrize("linter", WSGI_LINTS)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("app", WSGI_APPS)
@pytest.mark.parametrize("case", ["accepted", "accepted from disk", "accepted without memory", "passed through"])
def test_the_wsgi_door_keeps_the_protocol_however_the_application_answers(
    case: str, app: str, side: str, linter: str
) -> None:
    requests, status, given = CASES[case]
    answer, reported = linted_wsgi(WSGI_APPS[app], side, linter, requests, given)
    assert (answer.status, answer.body, reported) == (status, str(len(requests[-1].body)).encode(), "")


def broken_after_start(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"some"
    raise KeyError


@pytest.mark.parametrize("linter", WSGI_LINTS)
@pytest.mark.parametrize("side", SIDES)
def test_the_wsgi_door_keeps_the_protocol_when_the_application_fails(side: str, linter: str) -> None:
    with pytest.raises(KeyError):
        linted_wsgi(broken_after_start, side, linter, [push()], {})


# ASGI


async def received(receive: Receive) -> int:
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    return size


async def at_once(_scope: Scope, receive: Receive, send: Send) -> None:
    answer = str(await received(receive)).encode()
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


async def in_parts(_scope: Scope, receive: Receive, send: Send) -> None:
    answer = str(await received(receive)).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": answer, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def unread(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 204})
    await send({"type": "http.response.body"})


async def until_the_end(scope: Scope, receive: Receive, send: Send) -> None:
    await in_parts(scope, receive, send)
    with anyio.move_on_after(0.01):
        await receive()


ASGI_APPS: dict[str, ASGIApp] = {
    "at once": at_once,
    "in parts": in_parts,
    "unread": unread,
    "waiting for the end": until_the_end,
}


def linted_asgi(
    loop: str, app: ASGIApp, side: str, requests: list[Request | Delivery], given: dict[str, Any]
) -> Answered:
    outside, inside = SIDES[side]
    latched: ASGIApp = ASGIWebhookMiddleware(lint(app) if inside else app, **{**settings(), **given})
    door = lint(latched) if outside else latched

    async def send_all() -> Answered:
        with anyio.fail_after(20):
            for request in requests:
                answer = await call_asgi(door, request, extensions={}, state={"pool": 1})
        return answer

    return anyio.run(send_all, backend=loop)


@pytest.fixture(params=["asyncio", "trio"])
def loop(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("case", CASES)
def test_the_asgi_door_keeps_the_protocol(loop: str, case: str, side: str) -> None:
    requests, status, given = CASES[case]
    assert linted_asgi(loop, at_once, side, requests, given).status == status


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("app", ASGI_APPS)
@pytest.mark.parametrize("case", ["accepted", "accepted from disk", "accepted without memory", "passed through"])
def test_the_asgi_door_keeps_the_protocol_however_the_application_answers(
    loop: str, case: str, app: str, side: str
) -> None:
    requests, _, given = CASES[case]
    answer = linted_asgi(loop, ASGI_APPS[app], side, requests, given)
    expected = (204, b"") if app == "unread" else (200, str(len(requests[-1].body)).encode())
    assert (answer.status, answer.body) == expected


def test_the_asgi_door_sends_nothing_to_a_client_that_went_away(loop: str) -> None:
    app = lint(ASGIWebhookMiddleware(at_once, **settings()))

    async def scenario() -> Answered:
        return await call_asgi(app, push(), events=[{"type": "http.disconnect"}])

    assert anyio.run(scenario, backend=loop).status == 0


def test_the_inner_application_gets_a_scope_of_the_kind_the_server_gave(loop: str) -> None:
    scopes: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scopes.append(scope)
        await unread(scope, receive, send)

    linted_asgi(loop, app, "both sides", [push()], {})
    given = {**asgi_scope(push()), "extensions": {}}
    assert {key: value for key, value in scopes[0].items() if key != "state"} == given
    assert sorted(scopes[0]["state"]) == ["pool", "webhook"]
    assert isinstance(scopes[0]["state"]["webhook"], Webhook)


# The checker itself

START: Message = {"type": "http.response.start", "status": 200, "headers": []}
BODY: Message = {"type": "http.response.body", "body": b"", "more_body": False}


def supervised(messages: Iterable[Any], scope: Scope | None = None, events: Iterable[Any] | None = None) -> None:
    """Run an application under the checker that receives as many *events* as there are and sends *messages*."""
    given = list(events or [])

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        for _ in given:
            await receive()
        for message in messages:
            await send(message)

    async def scenario() -> None:
        await call_asgi(lint(app), push(), events=list(given), **(scope or {}))

    anyio.run(scenario)


def test_the_checker_lets_a_right_exchange_pass() -> None:
    supervised(
        [START, {**BODY, "more_body": True}, BODY], events=[{"type": "http.request"}, {"type": "http.disconnect"}]
    )


@pytest.mark.parametrize(
    ("messages", "complaint"),
    [
        ([], "without a response"),
        ([START], "before the end of the body"),
        ([BODY], "a body before the start"),
        ([START, START], "a second start"),
        ([START, BODY, BODY], "a body after its end"),
        ([START, BODY, START], "a second start"),
        ([START, {**BODY, "body": "text"}], "body is 'text'"),
        ([START, {**BODY, "body": bytearray()}], "body is bytearray"),
        ([START, {**BODY, "more_body": 0}], "more_body is 0"),
        ([{**START, "status": "200"}], "the status is '200'"),
        ([{**START, "status": True}], "the status is True"),
        ([{**START, "status": 99}], "the status is 99"),
        ([{**START, "headers": [("a", "b")]}], "no bytes"),
        ([{**START, "headers": [(b"Vary", b"b")]}], "lower case"),
        ([{**START, "headers": [(b"a", b"b\r\nc: d")]}], "must not"),
        ([{**START, "headers": [(b"transfer-encoding", b"chunked")]}], "the server's affair"),
        ([{**START, "headers": [(b"content-length", b"0"), (b"content-length", b"0")]}], "two lengths"),
        ([{**START, "headers": [(b"content-length", b"1")]}, BODY], "shorter than its length"),
        ([{**START, "headers": [(b"content-length", b"1")]}, {**BODY, "body": b"12"}], "longer than its length"),
        ([{**START, "status": 204}, {**BODY, "body": b"x"}], "a 204 with a body"),
        ([{"type": "http.response.pathsend", "path": "/x"}], "the server has no"),
        ([{"type": "http.request"}], "sent a 'http.request'"),
        ([None], "sent a NoneType"),
    ],
    ids=lambda value: value if isinstance(value, str) else "sent",
)
def test_the_checker_reports_what_an_application_must_not_send(messages: list[Any], complaint: str) -> None:
    with pytest.raises(LintError, match=complaint):
        supervised(messages)


@pytest.mark.parametrize(
    ("events", "complaint"),
    [
        ([{"type": "http.request"}, {"type": "http.request"}], "after its end"),
        ([{"type": "http.disconnect"}, {"type": "http.request"}], "after the disconnect"),
        ([{"type": "http.request", "body": "text"}], "body is 'text'"),
        ([{"type": "http.request", "more_body": None}], "more_body is None"),
        ([{"type": "websocket.receive"}], "received a 'websocket.receive'"),
    ],
    ids=["end", "disconnect", "text", "none", "websocket"],
)
def test_the_checker_reports_what_a_server_must_not_give(events: list[Any], complaint: str) -> None:
    with pytest.raises(LintError, match=complaint):
        supervised([START, BODY], events=events)


@pytest.mark.parametrize(
    "scope",
    [
        {"method": "post"},
        {"path": b"/"},
        {"query_string": ""},
        {"headers": [["X-Upper", "1"]]},
        {"headers": [(b"X-Upper", b"1")]},
        {"http_version": "1"},
        {"asgi": {}},
        {"root_path": None},
        {"raw_path": "/"},
        {"client": ("192.0.2.1", "80")},
        {"state": None},
    ],
    ids=lambda scope: next(iter(scope)),
)
def test_the_checker_reports_a_scope_that_no_server_may_give(scope: Scope) -> None:
    with pytest.raises(LintError):
        supervised([START, BODY], scope)
