"""hooklatch.django: one middleware in sync and async Django, what views get, and what locks them a second time.

Every claim is tried through Django's two handlers and its two test clients, and once with a middleware inside that
makes ours synchronous under ASGI.
"""

from __future__ import annotations

import asyncio
import gc
import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import anyio
import pytest
from asgiref.sync import markcoroutinefunction, sync_to_async
from django.conf import settings
from django.core.checks import run_checks
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from django.test import AsyncClient, Client, override_settings
from django.urls import path, re_path
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from django_project import COMMON, CSRF, OURS, PATH, SECRET
from hooklatch import ConfigError, Secret, get_webhook
from hooklatch.asgi import WebhookMiddleware as ASGIWebhookMiddleware
from hooklatch.providers import GITHUB, MECHANIC, MOMENTO, STRIPE
from hooklatch.stores import MemoryStore
from hooklatch.testing import Request, call_asgi, call_wsgi
from hooklatch.types import Webhook
from hooklatch.wsgi import WebhookMiddleware as WSGIWebhookMiddleware

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from hooklatch import Delivery
    from hooklatch.types import Claim

ROOT = Path(__file__).parent.parent
TEST_SECRET = "another one, for the sender's test button"

JSON = b'{"ref":  "refs/heads/main", "n": 1e2}\n'
FORM = b"payload=%7B%22ref%22%3A%22main%22%7D&n=1&n=2"
MULTIPART = (
    b'--cut\r\nContent-Disposition: form-data; name="title"\r\n\r\nreport\r\n'
    b'--cut\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n\x00\xff\r\n\x01\r\n--cut--\r\n'
)
BODIES = {
    "json": (JSON, "application/json"),
    "form": (FORM, "application/x-www-form-urlencoded"),
    "multipart": (MULTIPART, "multipart/form-data; boundary=cut"),
    "raw": (b"\x00\xff\r\n%2B&=\x80", "application/octet-stream"),
    "empty": (b"", "application/json"),
}


class Seen(NamedTuple):
    body: bytes
    webhook: Webhook


class Site:
    """What the views of one test do, and saw."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.answers: list[Callable[[], HttpResponseBase]] = []
        self.read: Callable[[Any], object] = lambda request: request.body
        self.found: list[object] = []


site = Site()


def answered() -> HttpResponseBase:
    return site.answers.pop(0)() if site.answers else HttpResponse("handled")


def push(request: HttpRequest) -> HttpResponseBase:
    webhook = get_webhook(request)
    # A door around the handler attaches no attribute.
    assert getattr(request, "webhook", webhook) is webhook
    site.seen.append(Seen(request.body, webhook))
    return answered()


async def push_async(request: HttpRequest) -> HttpResponseBase:
    return push(request)


def reading(request: HttpRequest) -> HttpResponse:
    site.found.append(site.read(request))
    return HttpResponse()


def locked(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.webhook.provider)  # type: ignore[attr-defined]


async def locked_async(request: HttpRequest) -> HttpResponse:
    return locked(request)


class Locked(View):
    def post(self, request: HttpRequest) -> HttpResponse:
        return locked(request)


def _urls() -> type:
    from hooklatch.django import verified

    class Urls:
        urlpatterns = (
            path("hooks/github", push),
            path("hooks/async", push_async),
            path("hooks/reading", csrf_exempt(reading)),
            path("locked/sync", csrf_exempt(verified(GITHUB)(locked))),
            path("locked/async", csrf_exempt(verified(GITHUB)(locked_async))),
            path("locked/class", csrf_exempt(method_decorator(verified(GITHUB), name="dispatch")(Locked).as_view())),
            path("locked/test", csrf_exempt(verified("github", allow_test=True)(locked))),
            re_path("^all/", push),
            path("open", csrf_exempt(lambda _: HttpResponse("open"))),
        )

    return Urls


class Outer:
    """A middleware that only knows sync, so that Django calls its neighbours from a thread."""

    sync_capable, async_capable = True, False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)


class Awaiting:
    """A middleware that only knows async, so that Django awaits its neighbours in an event loop of its own."""

    sync_capable, async_capable = False, True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        markcoroutinefunction(self)

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase = await self.get_response(request)
        return response


class Reader(Outer):
    """A middleware that reads what should be left to ours."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        site.read(request)
        return self.get_response(request)


settings.ROOT_URLCONF = _urls()


class Answer(NamedTuple):
    status: int
    body: bytes
    headers: dict[str, str]


class World:
    """One way into Django."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.wrap: Callable[[Any], Any] = lambda handler: handler
        self._entry: Any = None

    def send(self, request: Delivery | Request, *, enforce_csrf: bool = True) -> Answer:
        """Send *request*; the handler of the first one serves all."""
        method, url, headers, body = request
        if self.name.startswith("wsgi"):
            self._entry = self._entry or self.wrap(WSGIHandler())
            answer = call_wsgi(self._entry, request)
            return Answer(answer.status, answer.body, {name.lower(): value for name, value in answer.headers})
        if self.name == "client":
            self._entry = self._entry or Client(enforce_csrf_checks=enforce_csrf, raise_request_exception=False)
            lines = {name: value for name, value in dict(headers).items() if name != "content-type"}
            kind = dict(headers).get("content-type", "")
            return _told(self._entry.generic(method, url, body, kind, headers=lines))
        return anyio.run(self._send_async, request)

    async def _send_async(self, request: Delivery | Request) -> Answer:
        method, url, headers, body = request
        if self.name.startswith("asgi"):
            self._entry = self._entry or self.wrap(ASGIHandler())
            with anyio.fail_after(20):
                answer = await call_asgi(self._entry, request)
            return Answer(answer.status, answer.body, {name.lower(): value for name, value in answer.headers})
        self._entry = self._entry or AsyncClient(enforce_csrf_checks=True, raise_request_exception=False)
        lines = {name: value for name, value in dict(headers).items() if name != "content-type"}
        response = await self._entry.generic(method, url, body, dict(headers).get("content-type", ""), headers=lines)
        if not response.streaming:
            return _told(response)
        content = b"".join([chunk async for chunk in response.streaming_content])
        return Answer(response.status_code, content, {})


def _told(response: Any) -> Answer:
    body = b"".join(response) if response.streaming else response.content
    return Answer(response.status_code, body, {name.lower(): value for name, value in response.items()})


WORLDS = ["wsgi", "wsgi around async", "client", "asgi", "asgi around sync", "async client"]
INSIDE = {"wsgi around async": "Awaiting", "asgi around sync": "Outer"}


@pytest.fixture(params=WORLDS)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    site.__init__()  # type: ignore[misc]
    made = World(request.param)
    listed = [OURS, f"{__name__}.{INSIDE[made.name]}", CSRF] if made.name in INSIDE else [OURS, COMMON, CSRF]
    with override_settings(MIDDLEWARE=listed):
        yield made


@pytest.fixture
def routes() -> Callable[..., override_settings]:
    """Return what sets ``HOOKLATCH``; a chain stands for itself on the path of its test."""

    def configured(chains: Any = None, **more: Any) -> override_settings:
        chains = {PATH: GITHUB.chain(SECRET)} if chains is None else chains
        return override_settings(HOOKLATCH={"routes": chains, "store": MemoryStore(), **more})

    return configured


def signed(body: bytes = JSON, kind: str = "application/json", *, url: str = PATH, secret: str = SECRET) -> Delivery:
    return GITHUB.sign(body, secret=secret, url=url, headers={"content-type": kind})


def stolen(delivery: Delivery, **changes: Any) -> Delivery:
    return delivery._replace(**changes)


# Verdicts


@pytest.mark.parametrize("url", [PATH, "/hooks/async"])
def test_a_genuine_delivery_reaches_the_view_and_others_do_not(world: World, routes: Any, url: str) -> None:
    with routes({url: GITHUB.chain(SECRET)}):
        delivery = signed(url=url)
        assert world.send(delivery).status == 200
        assert world.send(stolen(delivery, body=JSON + b" ")).status == 401
        assert world.send(Request("POST", url, {}, JSON)).status == 401
        assert world.send(stolen(delivery, method="PUT")).status == 405
    (seen,) = site.seen
    assert seen.body == JSON
    assert (seen.webhook.provider, seen.webhook.route, seen.webhook.body) == ("github", url, JSON)


def test_a_refusal_looks_as_it_does_at_the_doors(world: World, routes: Any) -> None:
    with routes(protect=["/all/*"]):
        answer = world.send(Request("POST", PATH, {}, JSON))
        assert answer.headers["www-authenticate"].startswith("Webhook-Signature")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-type"] == "application/problem+json"
        assert json.loads(answer.body) == {"title": "Unauthorized", "status": 401}
        assert world.send(Request("POST", "/all/of/it", {}, b"")).status == 401
        assert world.send(Request("POST", "/hooks//github", {}, b"")).status == 400
        assert world.send(Request("POST", "/open", {}, b"")).body == b"open"
    assert not site.seen


def test_what_is_too_large_is_refused(world: World, routes: Any) -> None:
    with routes({PATH: GITHUB.chain(SECRET, max_body=100)}):
        assert world.send(signed(b"x" * 100)).status == 200
        assert world.send(signed(b"x" * 101)).status == 413


def test_rendered_refusals_and_cors_lines(world: World, routes: Any) -> None:
    chain = GITHUB.chain(SECRET, cors=["https://shop.example"])
    with routes({PATH: chain}, render=lambda refusal: ("text/plain", b"no")):
        assert world.send(Request("POST", PATH, {"origin": "https://shop.example"}, JSON)).body == b"no"
        site.answers = [lambda: HttpResponse("x", headers={"Vary": "Cookie"})]
        delivery = signed()
        delivery.headers["origin"] = "https://shop.example"
        answer = world.send(delivery)
        assert answer.status == 200
        if answer.headers:
            assert answer.headers["access-control-allow-origin"] == "https://shop.example"
            assert answer.headers["vary"] == "Cookie, Origin"
        preflight = {"origin": "https://shop.example", "access-control-request-method": "POST"}
        assert world.send(Request("OPTIONS", PATH, preflight, b"")).status == 204


# The body


def as_form(request: Any) -> object:
    return {name: request.POST.getlist(name) for name in request.POST}


def as_files(request: Any) -> object:
    return {name: (file.name, file.read()) for name, file in request.FILES.items()}


READERS: dict[str, Callable[[Any], object]] = {
    "body": lambda request: request.body,
    "read": lambda request: request.read(),
    "read in pieces": lambda request: [request.read(3), request.read(4), request.read()],
    "lines": list,
    "form": as_form,
    "files": as_files,
    "form, then body": lambda request: (as_form(request), _body(request)),
    "body, then form and files": lambda request: (request.body, as_form(request), as_files(request)),
    "length": lambda request: request.META["CONTENT_LENGTH"],
}


def _body(request: Any) -> object:
    try:
        return request.body
    except Exception as bad:  # noqa: BLE001 - which one Django raises is what is compared
        return type(bad)


@pytest.mark.parametrize("spool_threshold", [1 << 20, 0], ids=["memory", "disk"])
@pytest.mark.parametrize("shape", BODIES)
def test_a_view_reads_the_body_as_it_would_without_us(
    world: World, routes: Any, shape: str, spool_threshold: int
) -> None:
    delivery = signed(*BODIES[shape], url="/hooks/reading")
    chain = GITHUB.chain(SECRET, on_duplicate="run")
    bare = World(world.name)
    for name, read in READERS.items():
        if name == "length" and shape == "empty":
            continue  # the clients leave the header out
        site.read = read
        with routes({"/hooks/reading": chain}, spool_threshold=spool_threshold):
            assert world.send(delivery).status == 200, name
        with override_settings(MIDDLEWARE=[]):
            assert bare.send(delivery).status == 200, name
    assert site.found[::2] == site.found[1::2]


@pytest.mark.parametrize("reader", ["body", "form", "files", "length"])
def test_a_chunked_body_is_whole_in_sync_django_where_the_server_says_so(routes: Any, reader: str) -> None:
    site.__init__()  # type: ignore[misc]
    site.read = READERS[reader]
    with routes({"/hooks/reading": GITHUB.chain(SECRET)}):
        delivery = signed(*BODIES["multipart"], url="/hooks/reading")
        answer = call_wsgi(
            WSGIHandler(),
            delivery,
            CONTENT_LENGTH="",
            HTTP_TRANSFER_ENCODING="chunked",
            wsgi__input_terminated=True,
        )
    assert answer.status == 200
    expected = {
        "body": MULTIPART,
        "form": {"title": ["report"]},
        "files": {"file": ("a.bin", b"\x00\xff\r\n\x01")},
        "length": str(len(MULTIPART)),
    }
    assert site.found == [expected[reader]]


@pytest.mark.parametrize("read", ["body", "form", "files"])
@pytest.mark.parametrize("shape", ["json", "form", "multipart"])
def test_a_middleware_outside_may_read_the_body_but_not_use_it_up(
    world: World, routes: Any, read: str, shape: str
) -> None:
    site.read = READERS[read]
    listed = [f"{__name__}.Reader", OURS, CSRF]
    used_up = shape == "multipart" and read != "body"
    with routes(), override_settings(MIDDLEWARE=listed):
        assert world.send(signed(*BODIES[shape])).status == (400 if used_up else 200)
    assert [seen.body for seen in site.seen] == ([] if used_up else [BODIES[shape][0]])


def test_django_has_its_own_word_about_what_it_holds_in_memory(world: World, routes: Any) -> None:
    with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=10), routes({"/hooks/reading": GITHUB.chain(SECRET)}):
        assert world.send(signed(url="/hooks/reading")).status == 400
        site.read = lambda request: request.webhook.open().read()
        assert world.send(signed(url="/hooks/reading")).status == 200
    assert site.found == [JSON]


# The claim


def failing() -> HttpResponse:
    raise LookupError


def test_a_duplicate_is_acknowledged_and_a_failed_view_gives_its_claim_back(world: World, routes: Any) -> None:
    site.answers = [failing, lambda: HttpResponse(status=409), lambda: HttpResponse(status=302)]
    with routes():
        statuses = [world.send(signed()).status for _ in range(5)]
    assert statuses == [500, 409, 302, 200, 200]
    assert len(site.seen) == 4


class Recorder(MemoryStore):
    """A memory that tells when it was settled."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []

    def commit(self, claim: Claim, /) -> bool:
        self.told.append("commit")
        return super().commit(claim)

    def release(self, claim: Claim, /) -> None:
        self.told.append("release")
        super().release(claim)


def chunks_into(told: list[str], fail: bool = False) -> Iterator[bytes]:
    told.append("first")
    yield b"one "
    if fail:
        raise LookupError
    told.append("last")
    yield b"two"


async def chunks_into_async(told: list[str], fail: bool = False) -> AsyncIterator[bytes]:
    for chunk in chunks_into(told, fail):
        await asyncio.sleep(0)
        yield chunk


# Django says so wherever a server of the one kind streams an iterator of the other.
WRONG_KIND = pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")


@WRONG_KIND
@pytest.mark.parametrize("kind", ["sync", "async", "file"])
def test_a_streaming_answer_commits_behind_its_last_chunk(world: World, routes: Any, kind: str) -> None:
    store = Recorder()
    makers: dict[str, Callable[[], HttpResponseBase]] = {
        "sync": lambda: StreamingHttpResponse(chunks_into(store.told)),
        "async": lambda: StreamingHttpResponse(chunks_into_async(store.told)),
        "file": lambda: FileResponse(io.BytesIO(b"one two"), filename="a.txt"),
    }
    site.answers = [makers[kind]]
    with routes(store=store):
        answer = world.send(signed())
        assert (answer.status, answer.body) == (200, b"one two")
        assert world.send(signed()).status == 200
    assert store.told == ([] if kind == "file" else ["first", "last"]) + ["commit"]


# Django's ASGI handler leaves the file of the body open when a response breaks off.
@pytest.mark.filterwarnings("ignore:Unclosed file")
@WRONG_KIND
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_streaming_answer_that_breaks_off_gives_its_claim_back(world: World, routes: Any, kind: str) -> None:
    store = Recorder()
    stream = chunks_into if kind == "sync" else chunks_into_async
    site.answers = [lambda: StreamingHttpResponse(stream(store.told, fail=True))]
    with routes(store=store):
        with pytest.raises(LookupError):
            world.send(signed())
        assert store.told == ["first", "release"]
        assert world.send(signed()).status == 200
    assert store.told[2:] == ["commit"]
    gc.collect()


def test_a_streaming_answer_that_nobody_reads_gives_its_claim_back(world: World, routes: Any) -> None:
    store = Recorder()
    site.answers = [lambda: StreamingHttpResponse(chunks_into(store.told), status=200)]
    with routes(store=store):
        if world.name == "client":
            response = Client().post(PATH, JSON, "application/json", headers=signed().headers)
            response.close()
        elif world.name == "async client":

            async def unread() -> None:
                delivery = signed()
                lines = {name: value for name, value in delivery.headers.items() if name != "content-type"}
                response: Any = await AsyncClient().post(PATH, JSON, "application/json", headers=lines)
                await sync_to_async(response.close)()

            anyio.run(unread)
        else:
            pytest.skip("a server reads")
    assert store.told == ["release"]


@WRONG_KIND
def test_a_spooled_body_leaves_the_disk_with_the_answer(
    world: World, routes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Any] = []
    real = tempfile.TemporaryFile

    def temporary(*args: Any, **kwargs: Any) -> Any:
        opened.append(real(*args, **kwargs))
        return opened[-1]

    monkeypatch.setattr("hooklatch.body.tempfile.TemporaryFile", temporary)
    makers: list[Callable[[], HttpResponseBase]] = [HttpResponse, lambda: StreamingHttpResponse([b"a"]), failing]
    with routes({PATH: GITHUB.chain(SECRET, on_duplicate="run")}, spool_threshold=0):
        site.answers = makers
        for _ in range(3):
            world.send(signed())
        world.send(signed(secret="not the secret of this route"))
    assert len(opened) == 4
    assert all(file.closed for file in opened)


def test_a_view_whose_client_goes_away_gives_its_claim_back(routes: Any) -> None:
    store = Recorder()
    entered = asyncio.Event()

    async def run() -> None:
        async def waiting(request: HttpRequest) -> HttpResponse:
            entered.set()
            await asyncio.sleep(60)
            return HttpResponse()

        async def receive() -> Any:
            if delivered:
                await entered.wait()
                return {"type": "http.disconnect"}
            delivered.append(True)
            return {"type": "http.request", "body": JSON, "more_body": False}

        delivered: list[bool] = []
        urls = type("Urls", (), {"urlpatterns": (path("hooks/github", waiting),)})
        from hooklatch.testing import asgi_scope

        with override_settings(ROOT_URLCONF=urls, MIDDLEWARE=[OURS]), routes(store=store):
            with anyio.fail_after(20):
                await ASGIHandler()(dict(asgi_scope(signed())), receive, _unsent)
            assert store.told == ["release"]

    asyncio.run(run())


async def _unsent(message: Any) -> None:
    raise AssertionError(message)


# CSRF


def test_csrf_is_satisfied_by_a_live_delivery_whose_body_is_proven_and_by_nothing_else(
    world: World, routes: Any
) -> None:
    marked = GITHUB.chain([SECRET, Secret(TEST_SECRET, test=True)], on_test="mark")
    fields = MECHANIC.over("id", signature="signature")
    other = "a secret of the shop's own"
    with routes({PATH: marked, "/all/*": fields.chain(other)}):
        assert world.send(signed()).status == 200
        assert world.send(signed(secret=TEST_SECRET)).status == 403
        delivery = fields.sign({"id": "7"}, secret=other, url="/all/mechanic")
        assert world.send(delivery).status == 403
    assert len(site.seen) == 1
    with routes({"/hooks/async": GITHUB.chain(SECRET)}):
        assert world.send(signed()).status == 403


# The second lock


@pytest.mark.parametrize("lock", ["sync", "async", "class"])
def test_a_locked_view_opens_for_its_own_sender_only(world: World, routes: Any, lock: str) -> None:
    url = f"/locked/{lock}"
    marked = GITHUB.chain([SECRET, Secret(TEST_SECRET, test=True)], on_test="mark")
    with routes({url: marked}):
        assert world.send(signed(url=url)).body == b"github"
        refused = world.send(signed(url=url, secret=TEST_SECRET))
        assert refused.status == 401
    with routes({url: STRIPE.chain(SECRET)}):
        delivery = STRIPE.sign(b"{}", secret=SECRET, url=url)
        assert world.send(delivery).status == 401
    with routes():
        refused = world.send(signed(url=url))
        assert refused.status == 401
        assert refused.headers["www-authenticate"].startswith("Webhook-Signature")
    with override_settings(MIDDLEWARE=[]):
        assert World(world.name).send(signed(url=url)).status == 401


def test_a_locked_view_may_let_test_traffic_in(world: World, routes: Any) -> None:
    marked = GITHUB.chain([SECRET, Secret(TEST_SECRET, test=True)], on_test="mark")
    with routes({"/locked/test": marked}):
        assert world.send(signed(url="/locked/test", secret=TEST_SECRET)).body == b"github"


def test_a_lock_for_nothing_in_particular_is_refused() -> None:
    from hooklatch.django import verified

    with pytest.raises(ConfigError, match="takes the provider"):
        verified(push)  # type: ignore[arg-type]


def test_paths_beyond_ascii_belong_to_their_verdict(world: World, routes: Any) -> None:
    with routes({"/all/*": GITHUB.chain(SECRET)}):
        assert world.send(signed(url="/all/stra%C3%9Fe")).status == 200
    # Django's asynchronous test client takes the bytes of a path for latin-1.
    expected = "/all/straße".encode().decode("latin-1") if world.name == "async client" else "/all/straße"
    assert site.seen[0].webhook.path == expected


def test_refusals_are_limited_and_a_genuine_delivery_clears_its_address(world: World, routes: Any) -> None:
    from hooklatch.ratelimit import FailureLimit

    bad = signed(secret="not the secret of this route")
    with routes(limit_failures=FailureLimit("2/minute"), trusted_proxies=0):
        large = signed(b"x" * 70_000, secret="not the secret of this route")
        assert [world.send(bad).status for _ in range(2)] == [401, 401]
        assert world.send(large).status == 429
        assert world.send(signed()).status == 200
        assert world.send(large).status == 401


def test_the_observer_is_told(world: World, routes: Any) -> None:
    events: list[Any] = []
    with routes(observer=events.append):
        world.send(signed())
        world.send(signed())
        world.send(stolen(signed(), body=b""))
    assert [(event.outcome, event.reason) for event in events] == [
        ("accepted", ""),
        ("acknowledged", "duplicate"),
        ("refused", "signature_mismatch"),
    ]


# Doors around Django's handlers


@pytest.mark.parametrize("also", [False, True], ids=["door alone", "door and middleware"])
@pytest.mark.parametrize("name", ["wsgi", "asgi"])
@pytest.mark.parametrize("url", ["/locked/sync", "/all/stra%C3%9Fe"])
def test_a_door_around_the_handler_is_understood(routes: Any, name: str, also: bool, url: str) -> None:
    site.__init__()  # type: ignore[misc]
    made = World(name)
    chains = {"/locked/*": GITHUB.chain(SECRET), "/all/*": GITHUB.chain(SECRET)}
    door = WSGIWebhookMiddleware if name == "wsgi" else ASGIWebhookMiddleware
    made.wrap = lambda handler: door(handler, routes=chains)
    listed = [OURS, CSRF] if also else []
    judged_again: list[object] = []
    with routes(chains, observer=judged_again.append), override_settings(MIDDLEWARE=listed):
        answers = [made.send(signed(url=url)).status for _ in range(2)]
        assert answers == [200, 200]
        assert made.send(stolen(signed(url=url), body=b"")).status == 401
    assert len(site.seen) == (1 if "all" in url else 0)
    assert not judged_again


@pytest.mark.parametrize("route", [PATH, f"/mounted{PATH}"])
@pytest.mark.parametrize("at", ["environ", "scope", "scope without the mount in its path"])
def test_below_a_mount_a_route_may_be_written_either_way(routes: Any, at: str, route: str) -> None:
    site.__init__()  # type: ignore[misc]
    with routes({route: GITHUB.chain(SECRET)}):
        if at == "environ":
            answer = call_wsgi(WSGIHandler(), signed(), SCRIPT_NAME="/mounted")
        else:
            full = PATH if "without" in at else f"/mounted{PATH}"
            handler: Any = ASGIHandler()
            answer = asyncio.run(call_asgi(handler, signed(), root_path="/mounted", path=full))
    assert answer.status == 200
    assert [seen.body for seen in site.seen] == [JSON]


def test_a_forged_verdict_is_removed(routes: Any) -> None:
    site.__init__()  # type: ignore[misc]
    with routes({"/nowhere": GITHUB.chain(SECRET)}):
        request = Request("POST", "/locked/sync", {}, b"")
        assert call_wsgi(WSGIHandler(), request, hooklatch__webhook="forged").status == 401
    with routes():
        assert call_wsgi(WSGIHandler(), signed(), hooklatch__webhook="forged").status == 200


# Settings


def test_the_setting_may_be_a_file(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_SECRET", SECRET)
    file = tmp_path / "hooklatch.toml"
    file.write_text(f'[routes."{PATH}"]\nprovider = "github"\nsecrets = "env:GITHUB_SECRET"\n')
    for given in (file, str(file)):
        with override_settings(HOOKLATCH=given):
            assert [world.send(signed()).status, world.send(stolen(signed(), body=b"")).status] == [200, 401]


def test_another_setting_counts_at_once_and_the_old_one_afterwards(world: World, routes: Any) -> None:
    with routes():
        assert world.send(signed()).status == 200
        with routes({PATH: GITHUB.chain(TEST_SECRET)}):
            assert world.send(signed()).status == 401
        assert world.send(signed(b"other")).status == 200


@pytest.mark.parametrize("handler", [WSGIHandler, ASGIHandler])
@pytest.mark.parametrize(
    ("given", "cure"),
    [
        (None, "must be a dict"),
        ({}, "routes: give a dict"),
        ({"route": {}}, "did you mean routes"),
        ({"routes": {PATH: "github"}}, "is no chain"),
        ("/nowhere/hooklatch.toml", "cannot be read"),
    ],
    ids=repr,
)
def test_a_setting_that_cannot_be_used_stops_the_start(given: object, cure: str, handler: Any) -> None:
    with override_settings(HOOKLATCH=given, MIDDLEWARE=[OURS]), pytest.raises(ConfigError, match=cure):
        handler()


def told(**more: Any) -> list[str]:
    with override_settings(**more):
        return sorted(str(message.id) for message in run_checks() if str(message.id).startswith("hooklatch"))


CHAINS = {PATH: GITHUB.chain(SECRET, max_body=10_000)}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"HOOKLATCH": {"routes": CHAINS}}, []),
        ({"HOOKLATCH": None}, ["hooklatch.E001"]),
        ({"HOOKLATCH": {"routes": {}}}, ["hooklatch.E001"]),
        ({"HOOKLATCH": {"routes": CHAINS, "fail_open": True}}, ["hooklatch.E001"]),
        ({"HOOKLATCH": "/nowhere"}, ["hooklatch.E001"]),
        ({"MIDDLEWARE": [CSRF, OURS]}, ["hooklatch.E002"]),
        ({"MIDDLEWARE": [CSRF]}, ["hooklatch.W003"]),
        ({"HOOKLATCH": {"routes": CHAINS, "debug": True}}, ["hooklatch.W004"]),
        ({"HOOKLATCH": {"routes": CHAINS, "fail_open": "unsafe"}}, ["hooklatch.W005"]),
        ({"DATA_UPLOAD_MAX_MEMORY_SIZE": 9999}, ["hooklatch.W007"]),
        ({"DATA_UPLOAD_MAX_MEMORY_SIZE": None}, []),
        ({"DATA_UPLOAD_MAX_MEMORY_SIZE": 10_000}, []),
    ],
    ids=repr,
)
def test_system_checks_tell_what_is_wrong(more: dict[str, Any], expected: list[str]) -> None:
    assert told(**more) == expected


def test_every_missing_secret_is_a_check_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ABSENT", raising=False)
    file = tmp_path / "hooklatch.toml"
    route = 'provider = "github"\nsecrets = "env:ABSENT"\n'
    file.write_text(f'[routes."/a"]\n{route}[routes."/b"]\n{route}')
    with override_settings(HOOKLATCH=file):
        messages = [message for message in run_checks() if message.id == "hooklatch.E001"]
    assert [str(message.msg).split(": ")[0] for message in messages] == [f"{file}:3", f"{file}:6"]


def test_deployment_wants_a_memory_that_lasts(routes: Any) -> None:
    def deployed(**found: Any) -> bool:
        with override_settings(HOOKLATCH={"routes": CHAINS, **found}):
            return any(m.id == "hooklatch.W006" for m in run_checks(include_deployment_checks=True))

    assert deployed()
    assert not deployed(store="sqlite:///deliveries.db")


def test_senders_with_their_own_status_keep_it(world: World, routes: Any) -> None:
    with routes({PATH: MOMENTO.chain(SECRET)}):
        assert world.send(Request("POST", PATH, {"content-type": "application/json"}, b"{}")).status == 403


def test_the_example_runs_and_prints_what_its_page_says() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "django_app.py")], check=True, capture_output=True, text=True
    )
    page = (ROOT / "docs" / "django.md").read_text()
    assert f"```text\n{done.stdout}```" in page
