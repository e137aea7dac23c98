"""Which requests are judged, which pass untouched, which are refused for their path, and the second lock behind it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from hooklatch import ConfigError, Delivery, NotProven, Webhook, get_webhook
from hooklatch.asgi import WebhookMiddleware as ASGIWebhookMiddleware
from hooklatch.errors import RequestAmbiguous
from hooklatch.providers import GITHUB, MECHANIC, MOMENTO, SPECKLE, SPECKLE_BEFORE_2_12, STRIPE
from hooklatch.routes import LONGEST, REMEMBERED, SHORT, Routes, _meanings
from hooklatch.stores import MemoryStore
from hooklatch.testing import Answered, Request, asgi_scope, call_asgi, call_wsgi, wsgi_environ
from hooklatch.wsgi import WebhookMiddleware as WSGIWebhookMiddleware
from worlds import NOW, Endpoint, make_endpoint

if TYPE_CHECKING:
    from types import FrameType

    from starlette.requests import Request as StarletteRequest
    from starlette.types import Message, Receive, Scope, Send

MakeEndpoint = Callable[..., Endpoint]

SECRET = "the-secret-of-this-route"
OTHER = "another-secret-of-this-route"
CHAIN = GITHUB.chain(SECRET)
HOOK = "/hooks/github"


def push(url: str = HOOK, *, method: str = "POST", secret: str = SECRET) -> Delivery:
    return GITHUB.sign(b"{}", secret=secret, url=url, method=method)


def post_to(made: Endpoint, path: str, delivery: Delivery | None = None) -> Answered:
    """Post to *path* as the server decoded it, whatever a URL could say."""
    overrides = {"PATH_INFO": path} if made.world == "wsgi" else {"path": path, "raw_path": None}
    return made.post(delivery or push(), **overrides)


def judged(made: Endpoint) -> list[str]:
    """Return the pattern that judged each request that reached the application, empty where none did."""
    return ["" if seen.webhook is None else seen.webhook.route for seen in made.calls]


# Finding a route


@pytest.mark.parametrize("path", [HOOK, f"{HOOK}/"])
def test_an_exact_route_judges_its_path_with_or_without_a_slash_at_the_end(endpoint: MakeEndpoint, path: str) -> None:
    made = endpoint(routes={HOOK: CHAIN})
    assert (post_to(made, path).status, judged(made)) == (200, [HOOK])


@pytest.mark.parametrize("path", [HOOK, f"{HOOK}/"])
def test_an_exact_route_refuses_what_is_not_signed(endpoint: MakeEndpoint, path: str) -> None:
    made = endpoint(routes={HOOK: CHAIN})
    assert (post_to(made, path, push(secret=OTHER)).status, made.calls) == (401, [])


@pytest.mark.parametrize(
    "path", ["/", "/hooks", f"{HOOK}s", f"{HOOK}/more", "/hook/github", "/HOOKS/GITHUB", "/x" + HOOK]
)
def test_another_path_than_the_exact_one_passes(endpoint: MakeEndpoint, path: str) -> None:
    made = endpoint(routes={HOOK: CHAIN})
    assert (post_to(made, path, push(secret=OTHER)).status, judged(made)) == (200, [""])


@pytest.mark.parametrize("path", ["/in", "/in/", "/in/a", "/in/a/", "/in/a/b/c", "/in/ünï"])
def test_a_prefix_route_judges_what_lies_below_it(endpoint: MakeEndpoint, path: str) -> None:
    made = endpoint(routes={"/in/*": CHAIN})
    assert (made.post(push("/in")).status, judged(made)) == (200, ["/in/*"])
    wire = path.encode().decode("latin-1") if made.world == "wsgi" else path
    assert post_to(made, wire, push(secret=OTHER)).status == 401


@pytest.mark.parametrize("path", ["/", "/inn", "/i", "/x/in/a"])
def test_a_prefix_route_lets_what_lies_beside_it_pass(endpoint: MakeEndpoint, path: str) -> None:
    made = endpoint(routes={"/in/*": CHAIN})
    assert (post_to(made, path, push(secret=OTHER)).status, judged(made)) == (200, [""])


@pytest.mark.parametrize(
    ("path", "pattern"),
    [("/a/b/c", "/a/b/c"), ("/a/b/d", "/a/b/*"), ("/a/x", "/a/*"), ("/a", "/a/*"), ("/y/z", "/*"), ("/", "/*")],
)
def test_the_nearest_route_judges(endpoint: MakeEndpoint, path: str, pattern: str) -> None:
    made = endpoint(routes=dict.fromkeys(["/*", "/a/*", "/a/b/*", "/a/b/c"], CHAIN))
    assert (post_to(made, path).status, judged(made)) == (200, [pattern])


@pytest.mark.parametrize("path", ["/", ""])
def test_the_root_can_be_a_route(endpoint: MakeEndpoint, path: str) -> None:
    made = endpoint(routes={"/": CHAIN})
    assert post_to(made, path, push(secret=OTHER)).status in {400, 401}
    assert made.calls == []
    assert (post_to(made, "/").status, judged(made)) == (200, ["/"])


@pytest.mark.parametrize("path", ["/hooks/other", "/hooks", "/hooks/", "/hooks/a/b", f"{HOOK}/more"])
def test_below_protect_what_has_no_route_is_401(endpoint: MakeEndpoint, path: str) -> None:
    made = endpoint(routes={HOOK: CHAIN}, protect=["/hooks/*"])
    answer = post_to(made, path)
    assert (answer.status, made.reason, made.calls) == (401, "route_unknown", [])
    assert answer.header("www-authenticate")


def test_protect_leaves_the_routes_below_it_and_all_else_alone(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={HOOK: CHAIN, "/hooks/in/*": CHAIN}, protect=["/hooks/*", "/exact"])
    assert [post_to(made, path).status for path in (HOOK, "/hooks/in/a", "/other", "/exact/more")] == [
        200,
        200,
        200,
        200,
    ]
    assert judged(made) == [HOOK, "/hooks/in/*", "", ""]


@pytest.mark.parametrize("path", ["/exact", "/exact/"])
def test_an_exact_place_can_be_protected(endpoint: MakeEndpoint, path: str) -> None:
    made = endpoint(routes={HOOK: CHAIN}, protect=["/exact"])
    assert (post_to(made, path).status, made.reason, made.calls) == (401, "route_unknown", [])


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "HEAD", "post"])
def test_no_method_gets_round_a_route_or_protect(endpoint: MakeEndpoint, method: str) -> None:
    made = endpoint(routes={HOOK: CHAIN}, protect=["/hooks/*"])
    assert [post_to(made, path, push(method=method)).status for path in (HOOK, "/hooks/other")] == [405, 401]
    assert made.calls == []


# Paths that could mean two things

ON_A_ROUTE = [
    "//hooks/github",
    "/hooks//github",
    "/hooks/github//",
    "/./hooks/github",
    "/hooks/./github",
    "/hooks/github/.",
    "/hooks/github/x/..",
    "/x/../hooks/github",
    "/../hooks/github",
    "/hooks/x/../github",
    "/hooks\\github",
    "\\hooks\\github",
    "/hooks/github\\",
    "/hooks\\..\\hooks\\github",
    "/hooks/github;x",
    "/hooks/github;",
    "/hooks/github;v=1/",
    "/hooks;v=1/github",
    "/hooks;v=1\\github",
    "/hooks%2fgithub",
    "/hooks%2Fgithub",
    "/hooks/github%2f",
    "/%68ooks/github",
    "/hooks/%2e/github",
    "/x/%2e%2e/hooks/github",
    "/hooks%252fgithub",
    "/hooks%5cgithub",
    "http://example.com/hooks/github",
    "https://someone@example.com:8443/hooks/github",
    "HTTP://example.com//hooks/github",
]


@pytest.mark.parametrize("path", ON_A_ROUTE)
def test_a_path_that_could_mean_a_route_is_400_and_not_passed_on(endpoint: MakeEndpoint, path: str) -> None:
    made = endpoint(routes={HOOK: CHAIN})
    assert (post_to(made, path).status, made.calls) == (400, [])
    assert made.reason == "request_ambiguous"


BELOW_A_PREFIX = [
    "/in//a",
    "/in/./a",
    "/in/../in/a",
    "/x/../in/a",
    "/in\\a",
    "/in/a;x",
    "/in;x/a",
    "/in/%61",
    "/in%2fa",
    "/in/a%20b",
    "http://example.com/in/a",
    # To a router that knows no dots this is below the prefix, to one that does it is not.
    "/in/../other",
    "/in/a/../../other",
    "/in/%2e%2e/other",
]


@pytest.mark.parametrize("path", BELOW_A_PREFIX)
@pytest.mark.parametrize(
    "settings",
    [{"routes": {"/in/*": CHAIN}}, {"routes": {HOOK: CHAIN}, "protect": ["/in/*"]}],
    ids=["route", "protect"],
)
def test_a_path_that_could_lie_below_a_prefix_is_400_and_not_passed_on(
    endpoint: MakeEndpoint, path: str, settings: dict[str, Any]
) -> None:
    made = endpoint(**settings)
    assert (post_to(made, path).status, made.calls) == (400, [])
    assert made.reason == "request_ambiguous"


@pytest.mark.parametrize(
    "path",
    [
        "//other",
        "/other//x",
        "/other/./x",
        "/a/../b",
        "/a/..",
        "/other\\x",
        "/other;x=1",
        "/other%2fx",
        "/other%",
        "/other%zz",
        "/a b",
        "http://example.com/other",
        "/hooks;x",
        "/hook%73",
        "/./hooks",
        "*",
    ],
)
def test_an_odd_path_that_means_no_route_passes_as_it_is(endpoint: MakeEndpoint, path: str) -> None:
    made = endpoint(routes={HOOK: CHAIN, "/in/*": CHAIN}, protect=["/private/*"])
    assert (post_to(made, path).status, judged(made)) == (200, [""])
    assert made.calls[0].path == path


@pytest.mark.parametrize(
    "path", ["/.well-known/hook", "/a/...", "/a/..b", "/a/.b./c", "/a/b..", "/v1.2/~x:y@z,=+$!&'()*"]
)
def test_dots_and_signs_that_mean_nothing_make_no_path_odd(endpoint: MakeEndpoint, path: str) -> None:
    made = endpoint(routes={"/*": CHAIN})
    assert (post_to(made, path).status, judged(made)) == (200, ["/*"])


@pytest.mark.parametrize("path", ["/hooks/github\r\n", "/hooks/git\x00hub", "\x00/hooks/github", "/hooks/github\x7f"])
def test_a_path_with_control_characters_that_could_mean_a_route_is_400(endpoint: MakeEndpoint, path: str) -> None:
    made = endpoint(routes={HOOK: CHAIN})
    assert (post_to(made, path).status, made.calls) == (400, [])


# What a path costs

PLACES = Routes({"/in/*": CHAIN, HOOK: CHAIN, "/in/deep/down/*": CHAIN}, ["/private/*"])
COSTLY = {
    "slashes": "/",
    "dot segments": "/.",
    "steps up": "/..",
    "plain steps": "/a",
    "steps below a route": "/in",
    "one step": "a",
    "escapes": "/%",
    "escaped escapes": "%25",
    "parameters": "/;a",
    "backslashes": "\\a",
    "control characters": "/\x01",
    "schemes": "h+",
    "absolute forms": "h://",
    "everything": "/.%2e;a\\b\x01?h://",
}


def steps_of(path: str) -> int:
    """Return how many instructions of ``routes`` it takes to decide about *path*."""
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        if not frame.f_code.co_filename.endswith("routes.py"):
            return None
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        PLACES.guards(path)
    finally:
        sys.settrace(before)
    return count


def stretched(unit: str, size: int) -> str:
    return "/" * (unit[0] != "/") + unit * (size // len(unit))


@pytest.mark.parametrize("unit", COSTLY.values(), ids=COSTLY)
def test_a_path_twice_as_long_costs_at_most_twice_as_much(unit: str) -> None:
    short, long = (steps_of(stretched(unit, size)) for size in (LONGEST // 2 - 32, LONGEST - 64))
    assert short > 20
    assert long <= 2 * short


@pytest.mark.parametrize("unit", COSTLY.values(), ids=COSTLY)
def test_beyond_the_longest_path_the_cost_grows_no_more(unit: str) -> None:
    assert steps_of(stretched(unit, 64 * LONGEST)) <= steps_of(stretched(unit, 2 * LONGEST)) + 2
    assert steps_of(stretched(unit, 64 * LONGEST)) < steps_of(stretched("/.", LONGEST - 64))


@pytest.mark.parametrize("path", [f"/in/{'a' * LONGEST}", f"/in{'/a' * LONGEST}", f"/in/{'/.' * LONGEST}/a"])
def test_what_is_too_long_below_a_route_is_400(endpoint: MakeEndpoint, path: str) -> None:
    made = endpoint(routes={"/in/*": CHAIN})
    assert (post_to(made, path).status, made.reason, made.calls) == (400, "request_ambiguous", [])


def test_the_longest_path_is_judged(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={"/in/*": CHAIN})
    path = "/in/".ljust(LONGEST, "a")
    assert [post_to(made, path).status, post_to(made, f"{path}a").status] == [200, 400]


@pytest.mark.parametrize(
    "path", ["/" * 5000, "/." * 5000, "/%" * 5000, "/a" * 5000, "/;" * 5000, "\\" * 5000], ids="/.%a;\\"
)
def test_what_is_long_and_means_no_route_passes_as_it_is(endpoint: MakeEndpoint, path: str) -> None:
    made = endpoint(routes={HOOK: CHAIN, "/in/*": CHAIN}, protect=["/private/*"])
    assert (post_to(made, path).status, judged(made)) == (200, [""])


PIECES = [
    "/",
    "//",
    "hooks",
    "github",
    "in",
    "private",
    ".",
    "..",
    "\\",
    ";",
    "%2f",
    "%252f",
    "x",
    "http://h",
    "?",
    "\n",
    "%",
]


@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=9).map("".join))
def test_what_is_too_long_to_be_read_is_refused_wherever_a_reading_would_be(path: str) -> None:
    if any(PLACES._touches(meaning) for meaning in _meanings(path)):
        assert PLACES._could_touch(path)


# Mounts


@pytest.mark.parametrize(
    ("mount", "path"),
    [("/hooks", "/github"), (HOOK, ""), (HOOK, "/"), ("", HOOK)],
    ids=["prefix", "whole", "whole and slash", "none"],
)
def test_a_mounted_wsgi_path_is_judged_whole(mount: str, path: str) -> None:
    made = make_endpoint("wsgi", routes={HOOK: CHAIN})
    answer = made.post(push(), SCRIPT_NAME=mount, PATH_INFO=path)
    assert (answer.status, judged(made)) == (200, [HOOK])


@pytest.mark.parametrize(("mount", "path"), [("/hooks", "//github"), ("/hooks/.", "/github"), ("/x/..", HOOK)])
def test_a_mounted_wsgi_path_that_could_mean_a_route_is_400(mount: str, path: str) -> None:
    made = make_endpoint("wsgi", routes={HOOK: CHAIN})
    assert made.post(push(), SCRIPT_NAME=mount, PATH_INFO=path).status == 400
    assert made.calls == []


@pytest.mark.parametrize("world", ["asyncio", "trio"])
@pytest.mark.parametrize(
    ("mount", "path"),
    [("/hooks", HOOK), ("/hooks", "/github"), (HOOK, HOOK), ("/hooks/", HOOK), ("/", HOOK), ("", HOOK)],
    ids=["in the path", "beside the path", "whole", "slash", "root", "none"],
)
def test_a_root_path_is_understood_whether_or_not_the_path_holds_it(world: str, mount: str, path: str) -> None:
    made = make_endpoint(world, routes={HOOK: CHAIN})
    answer = made.post(push(), root_path=mount, path=path)
    assert (answer.status, judged(made)) == (200, [HOOK])


def mounted(made: Endpoint, mount: str, path: str) -> dict[str, str]:
    """Return what a server says of *path* below *mount*."""
    if made.world != "wsgi":
        return {"root_path": mount, "path": mount + path}
    return {"SCRIPT_NAME": mount.encode().decode("latin-1"), "PATH_INFO": path}


@pytest.mark.parametrize("mount", ["/site", "/site/inner", "/s\u00efte", "/github"])
def test_a_route_may_be_written_as_seen_below_a_mount(endpoint: MakeEndpoint, mount: str) -> None:
    made = endpoint(routes={"/github": CHAIN}, protect=["/private/*"])
    forged = push(secret=OTHER)
    assert [made.post(delivery, **mounted(made, mount, "/github")).status for delivery in (forged, push())] == [
        401,
        200,
    ]
    assert judged(made) == ["/github"]
    assert (made.post(push(), **mounted(made, mount, "/private/a")).status, made.reason) == (401, "route_unknown")


@pytest.mark.parametrize("protect", ["/*", "/site/*"])
def test_protect_may_be_written_either_way_beside_a_route_as_seen_below_a_mount(
    endpoint: MakeEndpoint, protect: str
) -> None:
    made = endpoint(routes={"/github": CHAIN}, protect=[protect])
    forged = push(secret=OTHER)
    assert [made.post(delivery, **mounted(made, "/site", "/github")).status for delivery in (forged, push())] == [
        401,
        200,
    ]
    assert judged(made) == ["/github"]
    for path in ("/forgotten", ""):
        assert (made.post(push(), **mounted(made, "/site", path)).status, made.reason) == (401, "route_unknown")
    assert made.post(push(), **mounted(made, "/site", "//github")).status == 400


@pytest.mark.parametrize("path", ["//github", "/./github", "/github;x", "/x/../github", "/private//a", "/private/../a"])
def test_an_odd_path_below_a_mount_that_could_mean_a_route_is_400(endpoint: MakeEndpoint, path: str) -> None:
    made = endpoint(routes={"/github": CHAIN}, protect=["/private/*"])
    assert (made.post(push(), **mounted(made, "/site", path)).status, made.calls) == (400, [])


@pytest.mark.parametrize("path", ["/githubs", "/other", "/"])
def test_what_is_no_route_below_a_mount_passes(endpoint: MakeEndpoint, path: str) -> None:
    made = endpoint(routes={"/github": CHAIN}, protect=["/private/*"])
    assert (made.post(push(), **mounted(made, "/site", path)).status, judged(made)) == (200, [""])


# Passing untouched


@dataclass
class Inner:
    """An application that keeps the very objects it was called with, and answers 200."""

    world: str
    given: list[tuple[Any, ...]] = field(default_factory=list)
    look: Callable[[Any], object] = lambda _request: None
    """Called with each environ or scope."""

    def wsgi(self, environ: Any, start_response: Any) -> list[bytes]:
        self.given.append((environ, start_response))
        self.look(environ)
        start_response("200 OK", [])
        return []

    async def asgi(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.given.append((scope, receive, send))
        self.look(scope)
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    def latched(self, **settings: Any) -> Any:
        settings = {"store": MemoryStore(), "clock": lambda: NOW, **settings}
        if self.world == "wsgi":
            return WSGIWebhookMiddleware(self.wsgi, **settings)
        return ASGIWebhookMiddleware(self.asgi, **settings)

    def post(self, app: Any, delivery: Delivery | Request, **overrides: Any) -> Answered:
        if self.world == "wsgi":
            return call_wsgi(app, delivery, **overrides)

        async def once() -> Answered:
            with anyio.fail_after(20):
                return await call_asgi(app, delivery, **overrides)

        return anyio.run(once, backend=self.world)


@pytest.fixture
def inner(world: str) -> Inner:
    return Inner(world)


def test_what_no_route_judges_reaches_the_wsgi_application_as_the_same_objects() -> None:
    inner = Inner("wsgi")
    environ = wsgi_environ(push("/other"))
    before = dict(environ)

    def start_response(*_arguments: Any) -> Any:
        return None

    inner.latched(routes={HOOK: CHAIN})(environ, start_response)
    assert inner.given[0][0] is environ
    assert inner.given[0][1] is start_response
    assert environ == before


async def receive() -> Message:
    return {"type": "http.disconnect"}


class Sent:
    """A ``send`` that keeps what it is given."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def __call__(self, message: Message) -> None:
        self.messages.append(message)


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
@pytest.mark.parametrize(
    "scope",
    [
        asgi_scope(push("/other")),
        {**asgi_scope(push("/other")), "state": {"webhook": None, "pool": 1}},
        {"type": "websocket", "path": "/other", "headers": []},
        {"type": "websocket", "path": "/hooks", "root_path": ""},
        {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}},
        {"type": "lifespan"},
        {"type": "something.else", "path": HOOK},
    ],
    ids=["http", "http with state", "websocket", "websocket above", "lifespan", "bare lifespan", "unknown"],
)
def test_what_no_route_judges_reaches_the_asgi_application_as_the_same_objects(loop: str, scope: Scope) -> None:
    inner, send = Inner(loop), Sent()
    before = dict(scope)
    anyio.run(inner.latched(routes={HOOK: CHAIN}, protect=["/private/*"]), scope, receive, send, backend=loop)
    ((got_scope, got_receive, got_send),) = inner.given
    assert got_scope is scope
    assert got_receive is receive
    assert got_send is send
    assert scope == before


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
@pytest.mark.parametrize(
    "path",
    [HOOK, f"{HOOK}/", "/in/a", "/private", "/private/a", "//hooks/github", "/hooks/./github", "/x/../private/a"],
)
def test_a_websocket_where_requests_are_judged_is_closed(loop: str, path: str) -> None:
    inner, send = Inner(loop), Sent()
    app = inner.latched(routes={HOOK: CHAIN, "/in/*": CHAIN}, protect=["/private/*"])
    anyio.run(app, {"type": "websocket", "path": path, "headers": []}, receive, send, backend=loop)
    assert (inner.given, [message["type"] for message in send.messages]) == ([], ["websocket.close"])


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_a_websocket_below_a_mounted_route_is_closed(loop: str) -> None:
    inner, send = Inner(loop), Sent()
    scope = {"type": "websocket", "path": "/github", "root_path": "/hooks", "headers": []}
    anyio.run(inner.latched(routes={HOOK: CHAIN}), scope, receive, send, backend=loop)
    assert (inner.given, [message["type"] for message in send.messages]) == ([], ["websocket.close"])


# Our key

FAKES = ["fake", {"provider": "github"}, True, object(), Webhook, [], 0]
KINDS = ["text", "dict", "true", "object", "class", "list", "zero"]


def attached(given: tuple[Any, ...]) -> Any:
    """Return what stands under our key in an environ or a scope; ``...`` where nothing does."""
    source = given[0]
    return source.get("hooklatch.webhook", ...) if len(given) == 2 else source.get("state", {}).get("webhook", ...)


@pytest.mark.parametrize("fake", FAKES, ids=KINDS)
def test_what_is_no_verdict_is_removed_from_under_our_key_where_no_route_judges(inner: Inner, fake: object) -> None:
    placed = {"hooklatch__webhook": fake} if inner.world == "wsgi" else {"state": {"webhook": fake, "pool": 1}}
    app = inner.latched(routes={HOOK: CHAIN})
    assert inner.post(app, push("/other"), **placed).status == 200
    assert attached(inner.given[0]) is ...
    if inner.world != "wsgi":
        assert inner.given[0][0]["state"] == {"pool": 1}
        assert placed == {"state": {"webhook": fake, "pool": 1}}


@pytest.mark.parametrize("fake", FAKES, ids=KINDS)
def test_what_is_no_verdict_makes_nothing_of_a_route_acceptable(inner: Inner, fake: object) -> None:
    placed = {"hooklatch__webhook": fake} if inner.world == "wsgi" else {"state": {"webhook": fake}}
    app = inner.latched(routes={HOOK: CHAIN})
    assert (inner.post(app, push(secret=OTHER), **placed).status, inner.given) == (401, [])
    assert inner.post(app, push(), **placed).status == 200
    assert isinstance(attached(inner.given[0]), Webhook)


def verdict_for(inner: Inner, **settings: Any) -> Webhook:
    """Return a genuine verdict, as an outer latch would attach it."""
    app = inner.latched(routes={HOOK: CHAIN}, **settings)
    assert inner.post(app, push()).status == 200
    found = attached(inner.given.pop())
    assert isinstance(found, Webhook)
    return found


def test_two_latches_judge_one_request_once(inner: Inner) -> None:
    store = MemoryStore()
    middle = inner.latched(routes={HOOK: CHAIN}, store=store)
    kind: Any = WSGIWebhookMiddleware if inner.world == "wsgi" else ASGIWebhookMiddleware
    outer = kind(middle, routes={HOOK: CHAIN}, store=store)
    assert [inner.post(outer, push()).status for _ in range(2)] == [200, 200]
    assert len(inner.given) == 1
    assert isinstance(attached(inner.given[0]), Webhook)


def test_two_latches_judge_one_request_once_under_a_mount(inner: Inner) -> None:
    store = MemoryStore()
    middle = inner.latched(routes={HOOK: CHAIN}, store=store)
    kind: Any = WSGIWebhookMiddleware if inner.world == "wsgi" else ASGIWebhookMiddleware
    outer = kind(middle, routes={HOOK: CHAIN}, store=store)
    mount = {"SCRIPT_NAME": "/hooks"} if inner.world == "wsgi" else {"root_path": "/hooks"}
    path = {"PATH_INFO": "/github"} if inner.world == "wsgi" else {"path": "/github"}
    assert inner.post(outer, push(), **mount, **path).status == 200
    assert len(inner.given) == 1


@pytest.mark.parametrize(
    "settings",
    [
        {"routes": {"/other": CHAIN}},
        {"routes": {"/hooks/*": CHAIN}},
        {"routes": {HOOK: STRIPE.chain(SECRET)}},
    ],
    ids=["another path", "another pattern", "another provider"],
)
def test_the_verdict_of_another_route_is_not_taken_for_this_one(inner: Inner, settings: dict[str, Any]) -> None:
    verdict = verdict_for(inner)
    placed = {"hooklatch__webhook": verdict} if inner.world == "wsgi" else {"state": {"webhook": verdict}}
    url = next(iter(settings["routes"])).replace("*", "github")
    app = inner.latched(**settings)
    assert (inner.post(app, push(url, secret=OTHER), **placed).status, inner.given) == (401, [])


# The second lock


@pytest.mark.parametrize("expected", [None, GITHUB, CHAIN, "github"], ids=["any", "provider", "chain", "name"])
def test_the_verdict_is_found_where_it_was_attached(inner: Inner, expected: Any) -> None:
    found: list[Webhook] = []
    inner.look = lambda request: found.append(get_webhook(request, expected))
    assert inner.post(inner.latched(routes={HOOK: CHAIN}), push()).status == 200
    assert [(webhook.provider, webhook.path) for webhook in found] == [("github", HOOK)]


def refused(inner: Inner, change: Callable[[Any], object], expected: Any = None, **settings: Any) -> str:
    """Return why ``get_webhook`` gives nothing, after *change* was made to a judged environ or scope."""
    reasons: list[str] = []

    def look(request: Any) -> None:
        changed = dict(request)
        change(changed)
        with pytest.raises(NotProven) as caught:
            get_webhook(changed, expected, **settings)
        reasons.append(str(caught.value))

    inner.look = look
    assert inner.post(inner.latched(routes={HOOK: CHAIN}), push()).status == 200
    return reasons[0]


def keep(_request: Any) -> None:
    """Change nothing."""


@pytest.mark.parametrize(
    "expected", [STRIPE, STRIPE.chain(SECRET), "stripe", ""], ids=["provider", "chain", "name", "empty"]
)
def test_the_verdict_for_another_provider_is_none(inner: Inner, expected: Any) -> None:
    assert "expects" in refused(inner, keep, expected)


def test_the_verdict_on_another_method_is_none(inner: Inner) -> None:
    key = "REQUEST_METHOD" if inner.world == "wsgi" else "method"
    assert "given for POST" in refused(inner, lambda request: request.update({key: "PUT"}))


@pytest.mark.parametrize("path", ["/hooks/other", "/", f"{HOOK}/", ""])
def test_the_verdict_on_another_path_is_none(inner: Inner, path: str) -> None:
    key = "PATH_INFO" if inner.world == "wsgi" else "path"
    assert "given for POST '/hooks/github'" in refused(inner, lambda request: request.update({key: path}))


def test_without_a_verdict_there_is_none(inner: Inner) -> None:
    reasons: list[str] = []

    def look(request: Any) -> None:
        with pytest.raises(NotProven) as caught:
            get_webhook(request)
        reasons.append(str(caught.value))

    inner.look = look
    inner.post(inner.latched(routes={HOOK: CHAIN}), push("/other"))
    assert "no verdict" in reasons[0]


@pytest.mark.parametrize("fake", FAKES, ids=KINDS)
def test_what_is_no_verdict_is_never_found(inner: Inner, fake: object) -> None:
    environ = {**wsgi_environ(push()), "hooklatch.webhook": fake}
    scope = {**asgi_scope(push()), "state": {"webhook": fake}}
    with pytest.raises(NotProven, match="no verdict"):
        get_webhook(environ if inner.world == "wsgi" else scope)


@pytest.mark.parametrize(
    "source",
    [None, "text", 7, object(), {}, {"type": "http"}],
    ids=["none", "text", "number", "object", "empty", "scope"],
)
def test_what_is_no_request_carries_no_verdict(source: object) -> None:
    with pytest.raises(NotProven):
        get_webhook(source)


def test_marked_test_traffic_is_found_only_by_who_asks_for_it(inner: Inner) -> None:
    found: list[Webhook] = []

    def look(request: Any) -> None:
        with pytest.raises(NotProven, match="test traffic"):
            get_webhook(request, MOMENTO)
        found.append(get_webhook(request, MOMENTO, allow_test=True))

    inner.look = look
    chain = MOMENTO.chain(SECRET, test_agents=["QA/*"], on_test="mark")
    delivery = MOMENTO.sign({"a": 1}, secret=SECRET, at=NOW, url="/m", headers={"user-agent": "QA/1"})
    assert inner.post(inner.latched(routes={"/m": chain}), delivery).status == 200
    assert [webhook.test for webhook in found] == [True]


def test_the_verdict_is_found_behind_a_wsgi_dispatcher() -> None:
    inner = Inner("wsgi")
    found: list[Webhook] = []
    inner.look = lambda environ: found.append(get_webhook(environ, GITHUB))
    dispatcher: Any = DispatcherMiddleware(inner.wsgi, {"/hooks": inner.wsgi})
    app = WSGIWebhookMiddleware(dispatcher, routes={HOOK: CHAIN})
    assert (inner.post(app, push()).status, inner.given[0][0]["SCRIPT_NAME"]) == (200, "/hooks")
    assert [webhook.route for webhook in found] == [HOOK]


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
@pytest.mark.parametrize("root", ["", "/site"])
def test_the_verdict_is_found_behind_an_asgi_mount(loop: str, root: str) -> None:
    found: list[Webhook] = []

    async def answer(request: StarletteRequest) -> PlainTextResponse:
        found.append(get_webhook(request, GITHUB))
        return PlainTextResponse("")

    mounted = Starlette(routes=[Mount("/hooks", routes=[Route("/github", answer, methods=["POST"])])])
    app = ASGIWebhookMiddleware(mounted, routes={root + HOOK: CHAIN})
    inner = Inner(loop)
    assert inner.post(app, push(root + HOOK), root_path=root).status == 200
    assert [webhook.route for webhook in found] == [root + HOOK]


def test_a_path_beyond_ascii_is_bound_like_any_other(inner: Inner) -> None:
    found: list[Webhook] = []
    inner.look = lambda request: found.append(get_webhook(request, GITHUB))
    app = inner.latched(routes={"/hooks/*": CHAIN})
    assert inner.post(app, push("/hooks/%E2%82%AC")).status == 200
    assert [webhook.path for webhook in found] == ["/hooks/€"]


# Start-up


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "hooks",
        "hooks/github",
        "*",
        "/hooks/",
        "/hooks*",
        "/hooks/*/github",
        "/hooks/**",
        "//hooks",
        "/hooks//github",
        "/./hooks",
        "/hooks/..",
        "/hooks/../github",
        "/hooks/.",
        "/hooks?x=1",
        "/hooks#x",
        "/hooks;x",
        "/hooks%2fgithub",
        "/hooks\\github",
        "/hooks github",
        "/hooks\n",
        "https://example.com/hooks",
        None,
        7,
        b"/hooks",
    ],
    ids=repr,
)
@pytest.mark.parametrize("setting", ["routes", "protect"])
def test_a_pattern_that_is_no_path_is_a_config_error(endpoint: MakeEndpoint, setting: str, pattern: Any) -> None:
    settings = {"routes": {pattern: CHAIN}} if setting == "routes" else {"routes": {HOOK: CHAIN}, "protect": [pattern]}
    with pytest.raises(ConfigError, match=setting):
        endpoint(**settings)


@pytest.mark.parametrize("routes", [{}, None, [], [HOOK], HOOK, [(HOOK, CHAIN)]], ids=repr)
def test_routes_that_are_no_dict_are_a_config_error(endpoint: MakeEndpoint, routes: Any) -> None:
    with pytest.raises(ConfigError, match="routes"):
        endpoint(routes=routes)


@pytest.mark.parametrize(
    "chain", [GITHUB, SECRET, None, [CHAIN], object()], ids=["provider", "secret", "none", "list", "object"]
)
def test_what_is_no_chain_is_a_config_error(endpoint: MakeEndpoint, chain: Any) -> None:
    with pytest.raises(ConfigError, match="no chain"):
        endpoint(routes={HOOK: chain})


def test_protect_given_as_one_text_is_a_config_error(endpoint: MakeEndpoint) -> None:
    with pytest.raises(ConfigError, match="protect is a list"):
        endpoint(routes={HOOK: CHAIN}, protect="/hooks/*")


TIMED = MECHANIC.over("customer_id", signature="customer_id_signature", every=60)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (MECHANIC.chain(SECRET), TIMED.chain(SECRET)),
        (MECHANIC.chain(SECRET), TIMED.chain([OTHER, SECRET])),
        (SPECKLE.chain(SECRET), SPECKLE_BEFORE_2_12.chain(SECRET)),
        (MECHANIC.chain(SECRET), MECHANIC.over("email", signature="proof").chain(SECRET)),
    ],
    ids=["plain and timed", "one of two secrets", "old and new format", "two fields"],
)
def test_one_secret_under_two_recipes_of_fields_is_a_config_error(
    endpoint: MakeEndpoint, one: object, two: object
) -> None:
    with pytest.raises(ConfigError, match="share a secret"):
        endpoint(routes={"/one": one, "/two": two})


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (MECHANIC.chain(SECRET), MECHANIC.chain(SECRET)),
        (MECHANIC.chain(SECRET), TIMED.chain(OTHER)),
        (GITHUB.chain(SECRET), SPECKLE.chain(SECRET)),
    ],
    ids=["one recipe", "two secrets", "whole bodies"],
)
def test_secrets_that_cannot_be_mixed_up_may_be_shared(endpoint: MakeEndpoint, one: object, two: object) -> None:
    assert set(endpoint(routes={"/one": one, "/two": two}).app.routes.table) == {"/one", "/two"}


def test_what_strangers_ask_for_takes_no_more_than_so_much_memory() -> None:
    routes = Routes({"/hooks/github": GITHUB.chain(SECRET)})
    for number in range(REMEMBERED + 500):
        assert routes.find(f"/{number}") is None
        assert routes.find(f"/{number}/{'a' * SHORT}") is None
    remembered = routes.known.cache_info()
    assert remembered.currsize == REMEMBERED
    assert remembered.misses == REMEMBERED + 500


@pytest.mark.parametrize("path", ["/./private/\\..", "./private/\\..", "/x/../private/a\\..", "/./private/a;b\\.."])
def test_dot_segments_are_resolved_whether_or_not_a_backslash_is_a_slash(path: str) -> None:
    with pytest.raises(RequestAmbiguous):
        Routes({"/hooks/github": CHAIN}, ["/private/*"]).find(path)
