"""hooklatch.starlette: what an endpoint gets, wherever the latch stands, and what locks it a second time."""

from __future__ import annotations

import contextlib
import itertools
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.datastructures import UploadFile
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

import hooklatch.asgi
from hooklatch import Secret, Webhook
from hooklatch.providers import GITHUB, MOMENTO, STRIPE
from hooklatch.starlette import WebhookMiddleware, webhook_of
from hooklatch.stores import MemoryStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from typing import Literal

    from starlette.middleware.base import RequestResponseEndpoint
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from hooklatch import Delivery
    from hooklatch.types import Claim

SECRET = "one secret, long enough"
TEST_SECRET = "another one, for the sender's test button"
PATH = "/hooks/github"

# Spaces and the newline would not survive a parser and its writer.
JSON = b'{"ref":  "refs/heads/main", "n": 1e2}\n'
FORM = b"payload=%7B%22ref%22%3A%22main%22%7D&n=1&n=2"
MULTIPART = (
    b'--cut\r\nContent-Disposition: form-data; name="title"\r\n\r\nreport\r\n'
    b'--cut\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n\x00\xff\r\n\x01\r\n--cut--\r\n'
)
RAW = b"\x00\xff\r\n%2B&=\x80"
BODIES = {
    "json": (JSON, "application/json"),
    "form": (FORM, "application/x-www-form-urlencoded"),
    "multipart": (MULTIPART, "multipart/form-data; boundary=cut"),
    "raw": (RAW, "application/octet-stream"),
    "empty": (b"", "application/json"),
}


def signed(body: bytes = JSON, kind: str = "application/json", *, url: str = PATH, **headers: str) -> Delivery:
    lines = {"content-type": kind} | {name.replace("_", "-"): value for name, value in headers.items()}
    return GITHUB.sign(body, secret=SECRET, url=url, headers=lines)


def post(app: ASGIApp, delivery: Delivery, *, backend: Literal["asyncio", "trio"] = "asyncio") -> Any:
    client = TestClient(app, raise_server_exceptions=False, backend=backend, follow_redirects=False)
    return client.request(delivery.method, delivery.url, headers=delivery.headers, content=delivery.body)


def latch(**settings: Any) -> Middleware:
    return Middleware(WebhookMiddleware, **{"routes": {PATH: GITHUB.chain(SECRET)}, **settings})


def made(
    endpoint: Callable[[Request], Any], *around: Middleware, inside: tuple[Middleware, ...] = (), **settings: Any
) -> Starlette:
    return Starlette(routes=[Route(PATH, endpoint, methods=["POST"])], middleware=[*around, latch(**settings), *inside])


class Recorder:
    """An endpoint that remembers how often it ran, and fails when told to."""

    def __init__(self) -> None:
        self.runs = 0
        self.failures = 0

    async def answer(self, request: Request) -> Response:
        self.runs += 1
        if self.failures:
            self.failures -= 1
            msg = "the endpoint failed"
            raise LookupError(msg)
        return Response(status_code=204)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture(params=["asyncio", "trio"])
def backend(request: pytest.FixtureRequest) -> Any:
    return request.param


async def as_form(request: Request) -> object:
    form = await request.form()
    return [
        (name, (value.filename, await value.read()) if isinstance(value, UploadFile) else value)
        for name, value in form.multi_items()
    ]


async def as_stream(request: Request) -> bytes:
    return b"".join([piece async for piece in request.stream()])


READERS: dict[str, Callable[[Request], Awaitable[object]]] = {
    "body": Request.body,
    "stream": as_stream,
    "json": Request.json,
    "form": as_form,
}
ORDERS = list(itertools.permutations(READERS))


async def outcome(reader: str, request: Request) -> object:
    try:
        return await READERS[reader](request)
    except (RuntimeError, ValueError) as refused:
        return type(refused), str(refused)


@pytest.mark.parametrize("spool_threshold", [1 << 20, 0], ids=["memory", "disk"])
@pytest.mark.parametrize("shape", BODIES)
def test_an_endpoint_reads_the_body_as_it_would_without_a_latch_in_any_order(
    shape: str, spool_threshold: int, backend: Literal["asyncio", "trio"]
) -> None:
    found: list[object] = []

    async def endpoint(request: Request) -> Response:
        found.extend([await outcome(reader, request) for reader in order])
        await request.close()
        return PlainTextResponse("read")

    bare = Starlette(routes=[Route(PATH, endpoint, methods=["POST"])])
    chain = GITHUB.chain(SECRET, on_duplicate="run")
    latched = made(endpoint, routes={PATH: chain}, spool_threshold=spool_threshold)
    delivery = signed(*BODIES[shape])
    with TestClient(bare, backend=backend) as without, TestClient(latched, backend=backend) as with_latch:
        for order in ORDERS:
            results = []
            for client in (without, with_latch):
                answer = client.post(PATH, headers=delivery.headers, content=delivery.body)
                assert answer.text == "read"
                results.append(list(found))
                found.clear()
            assert results[1] == results[0], order


@pytest.mark.parametrize(
    ("shape", "reader", "expected"),
    [
        ("json", "json", {"ref": "refs/heads/main", "n": 100.0}),
        ("json", "body", JSON),
        ("form", "form", [("payload", '{"ref":"main"}'), ("n", "1"), ("n", "2")]),
        ("multipart", "form", [("title", "report"), ("file", ("a.bin", b"\x00\xff\r\n\x01"))]),
        ("raw", "body", RAW),
        ("raw", "stream", RAW),
    ],
)
def test_an_endpoint_reads(shape: str, reader: str, expected: object) -> None:
    found: list[object] = []

    async def endpoint(request: Request) -> Response:
        found.append(await READERS[reader](request))
        await request.close()
        return PlainTextResponse("read")

    assert post(made(endpoint), signed(*BODIES[shape])).text == "read"
    assert found == [expected]


class Slow:
    """A network that delivers seven bytes at a time."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = (await receive())["body"] if scope["type"] == "http" else b""
        pieces = [body[start : start + 7] for start in range(0, len(body), 7)]

        async def receive_slowly() -> Message:
            if not pieces:
                return await receive()
            return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

        await self.app(scope, receive_slowly, send)


@pytest.mark.parametrize("spool_threshold", [1 << 20, 20], ids=["memory", "disk"])
def test_a_body_that_arrives_in_pieces_is_judged_and_read_whole(
    spool_threshold: int, backend: Literal["asyncio", "trio"]
) -> None:
    async def endpoint(request: Request) -> Response:
        return Response(await as_stream(request))

    app = made(endpoint, Middleware(Slow), spool_threshold=spool_threshold)
    answer = post(app, signed(), backend=backend)
    assert (answer.status_code, answer.content) == (200, JSON)


@pytest.mark.parametrize("spool_threshold", [1 << 20, 0], ids=["memory", "disk"])
def test_a_sender_who_waits_for_the_answer_is_not_reported_gone(
    spool_threshold: int, backend: Literal["asyncio", "trio"]
) -> None:
    async def endpoint(request: Request) -> Response:
        body = await request.body()
        return JSONResponse([body.decode(), await request.is_disconnected()])

    app = made(endpoint, spool_threshold=spool_threshold)
    assert post(app, signed(), backend=backend).json() == [JSON.decode(), False]


def test_the_middleware_is_the_one_of_the_asgi_door() -> None:
    assert WebhookMiddleware is hooklatch.asgi.WebhookMiddleware


def seen_by(request: Request) -> Response:
    """Answer in a thread, as Starlette runs plain functions."""
    webhook = webhook_of(request, GITHUB)
    assert request.state.webhook is webhook
    assert type(webhook) is Webhook
    unsigned = dict(webhook.unsigned)
    return JSONResponse([webhook.provider, webhook.route, unsigned, webhook.body.decode(), webhook.json()])


async def seen_by_async(request: Request) -> Response:
    return seen_by(request)


@pytest.mark.parametrize("endpoint", [seen_by, seen_by_async])
def test_the_verdict_is_on_the_request(endpoint: Callable[[Request], Any], backend: Literal["asyncio", "trio"]) -> None:
    answer = post(made(endpoint), signed(x_github_event="push"), backend=backend)
    assert answer.json() == [
        "github",
        PATH,
        {"event_type": "push"},
        JSON.decode(),
        {"ref": "refs/heads/main", "n": 100},
    ]


def test_what_is_not_signed_never_reaches_the_endpoint(recorder: Recorder, backend: Literal["asyncio", "trio"]) -> None:
    genuine = signed()
    app = made(recorder.answer)
    for forged in (genuine._replace(body=JSON + b" "), genuine._replace(headers={"content-type": "application/json"})):
        answer = post(app, forged, backend=backend)
        assert (answer.status_code, answer.headers["cache-control"]) == (401, "no-store")
        assert "webhook" in answer.headers["www-authenticate"].lower()
    assert recorder.runs == 0


def test_a_refusal_has_the_status_the_sender_documents(recorder: Recorder) -> None:
    delivery = MOMENTO.sign({"text": "hello"}, secret="not the secret of this route", url=PATH)
    assert post(made(recorder.answer, routes={PATH: MOMENTO.chain(SECRET)}), delivery).status_code == 403
    assert recorder.runs == 0


def test_a_proven_sender_with_a_foreign_agent_is_forbidden(recorder: Recorder) -> None:
    app = made(recorder.answer, routes={PATH: GITHUB.chain(SECRET, other_agents="reject")})
    assert post(app, signed(user_agent="curl/8.0")).status_code == 403
    assert recorder.runs == 0
    assert post(app, signed()).status_code == 204


def test_below_protect_nothing_is_reached_without_a_route(recorder: Recorder) -> None:
    app = made(recorder.answer, protect=["/hooks/*"])
    app.add_route("/hooks/forgotten", recorder.answer, methods=["POST"])
    assert post(app, signed(url="/hooks/forgotten")).status_code == 401
    assert recorder.runs == 0


def test_a_processed_delivery_is_acknowledged_and_not_run_again(
    recorder: Recorder, backend: Literal["asyncio", "trio"]
) -> None:
    app = made(recorder.answer)
    first, second = (post(app, signed(), backend=backend) for _ in range(2))
    assert (first.status_code, "hooklatch-duplicate" in first.headers) == (204, False)
    assert (second.status_code, "hooklatch-duplicate" in second.headers) == (200, True)
    assert recorder.runs == 1


def test_a_failed_endpoint_gives_its_claim_back(recorder: Recorder, backend: Literal["asyncio", "trio"]) -> None:
    app = made(recorder.answer)
    recorder.failures = 1
    assert [post(app, signed(), backend=backend).status_code for _ in range(3)] == [500, 204, 200]
    assert recorder.runs == 2


def test_an_answer_other_than_2xx_gives_the_claim_back() -> None:
    statuses = [503, 201]
    app = made(lambda request: Response(status_code=statuses.pop(0)))
    assert [post(app, signed()).status_code for _ in range(3)] == [503, 201, 200]


class Watched(MemoryStore):
    """A memory that writes down when a delivery was settled, among what else happens."""

    def __init__(self, diary: list[str]) -> None:
        super().__init__()
        self.diary = diary

    def commit(self, claim: Claim, /) -> bool:
        self.diary.append("commit")
        return super().commit(claim)

    def release(self, claim: Claim, /) -> None:
        self.diary.append("release")
        super().release(claim)


def test_a_background_task_runs_after_the_commit() -> None:
    diary: list[str] = []

    def endpoint(request: Request) -> Response:
        diary.append("endpoint")
        return PlainTextResponse("done", background=BackgroundTask(diary.append, "background"))

    assert post(made(endpoint, store=Watched(diary)), signed()).text == "done"
    assert diary == ["endpoint", "commit", "background"]


def test_a_background_task_that_fails_does_not_run_the_delivery_again() -> None:
    diary: list[str] = []

    async def endpoint(request: Request) -> Response:
        def fail() -> None:
            raise LookupError

        return PlainTextResponse("done", background=BackgroundTask(fail))

    app = made(endpoint, store=Watched(diary))
    post(app, signed())
    assert diary == ["commit"]
    assert "hooklatch-duplicate" in post(app, signed()).headers


def test_a_background_task_can_read_the_proven_body_from_disk() -> None:
    found: list[bytes] = []

    def endpoint(request: Request) -> Response:
        webhook = webhook_of(request)
        return PlainTextResponse("done", background=BackgroundTask(lambda: found.append(webhook.body)))

    post(made(endpoint, spool_threshold=0), signed())
    assert found == [JSON]


def test_a_streamed_answer_arrives_whole_and_commits_with_its_last_chunk(backend: Literal["asyncio", "trio"]) -> None:
    diary: list[str] = []

    async def pieces() -> AsyncIterator[str]:
        for piece in ("one ", "two ", "three"):
            diary.append(piece)
            yield piece

    async def endpoint(request: Request) -> Response:
        return StreamingResponse(pieces())

    assert post(made(endpoint, store=Watched(diary)), signed(), backend=backend).text == "one two three"
    assert diary == ["one ", "two ", "three", "commit"]


EITHER_WAY = pytest.mark.parametrize("route", ["/github", "/wh/github"])


@EITHER_WAY
def test_a_latch_fits_a_mount(recorder: Recorder, route: str) -> None:
    routes = [Route("/github", recorder.answer, methods=["POST"]), Route("/other", recorder.answer, methods=["POST"])]
    inner = latch(routes={route: GITHUB.chain(SECRET)})
    app = Starlette(routes=[Mount("/wh", routes=routes, middleware=[inner])])
    delivery = signed(url="/wh/github")
    assert post(app, delivery._replace(body=RAW)).status_code == 401
    assert recorder.runs == 0
    assert [post(app, delivery).status_code for _ in range(2)] == [204, 200]
    assert post(app, signed(url="/wh/other")._replace(headers={})).status_code == 204


@EITHER_WAY
def test_a_latch_fits_an_application_that_is_mounted_whole(route: str) -> None:
    inner = Starlette(
        routes=[Route("/github", seen_by, methods=["POST"])], middleware=[latch(routes={route: GITHUB.chain(SECRET)})]
    )
    app = Starlette(routes=[Mount("/wh", inner)])
    assert post(app, signed(url="/wh/github")).json()[1] == route
    assert post(app, signed(url="/wh/github")._replace(body=RAW)).status_code == 401


def test_a_latch_outside_is_believed_inside_a_mount() -> None:
    inner = Starlette(routes=[Route("/github", seen_by, methods=["POST"])])
    routes = {"/wh/github": GITHUB.chain(SECRET)}
    app = Starlette(routes=[Mount("/wh", inner)], middleware=[latch(routes=routes)])
    assert post(app, signed(url="/wh/github")).json()[1] == "/wh/github"


def test_a_latch_fits_one_route(recorder: Recorder) -> None:
    app = Starlette(
        routes=[
            Route(PATH, seen_by, methods=["POST"], middleware=[latch()]),
            Route("/other", recorder.answer, methods=["POST"]),
        ]
    )
    assert post(app, signed()).json()[0] == "github"
    assert post(app, signed(RAW)._replace(body=JSON)).status_code == 401
    assert post(app, signed(url="/other")._replace(headers={})).status_code == 204


def test_two_latches_judge_a_request_once() -> None:
    diary: list[str] = []
    routes = {PATH: GITHUB.chain(SECRET)}
    inner = latch(routes=routes, store=Watched(diary))
    app = made(seen_by, inside=(inner,), routes=routes, store=Watched(diary))
    assert post(app, signed()).status_code == 200
    assert diary == ["commit"]


class ReadsBody(BaseHTTPMiddleware):
    """Takes the body as a middleware may: Starlette hands it on."""

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        body = await request.body()
        answer = await call_next(request)
        answer.headers["x-length"] = str(len(body))
        return answer


class TakesStream(BaseHTTPMiddleware):
    """Takes the body as a middleware should not: nobody behind it sees it again."""

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        await as_stream(request)
        return await call_next(request)


class SeesVerdict(BaseHTTPMiddleware):
    """Reads the verdict before the endpoint does."""

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        webhook = webhook_of(request, GITHUB)
        answer = await call_next(request)
        answer.headers["x-provider"] = webhook.provider
        return answer


def test_a_base_http_middleware_inside_sees_verdict_and_body(backend: Literal["asyncio", "trio"]) -> None:
    app = made(seen_by_async, inside=(Middleware(SeesVerdict), Middleware(ReadsBody)))
    answer = post(app, signed(), backend=backend)
    assert answer.json()[3] == JSON.decode()
    assert (answer.headers["x-provider"], answer.headers["x-length"]) == ("github", str(len(JSON)))


def test_a_base_http_middleware_around_may_read_the_body(backend: Literal["asyncio", "trio"]) -> None:
    app = made(seen_by_async, Middleware(ReadsBody))
    answer = post(app, signed(), backend=backend)
    assert (answer.json()[3], answer.headers["x-length"]) == (JSON.decode(), str(len(JSON)))
    refusal = post(app, signed()._replace(body=RAW), backend=backend)
    assert (refusal.status_code, refusal.headers["x-length"]) == (401, str(len(RAW)))


def test_a_middleware_around_that_takes_the_stream_is_an_error_and_not_a_forgery(
    recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    assert post(made(recorder.answer, Middleware(TakesStream)), signed()).status_code == 400
    assert recorder.runs == 0
    assert "has an outer layer read the body?" in caplog.text


def test_commit_and_release_work_through_a_base_http_middleware(recorder: Recorder) -> None:
    app = made(recorder.answer, Middleware(ReadsBody), inside=(Middleware(ReadsBody),))
    recorder.failures = 1
    assert [post(app, signed()).status_code for _ in range(3)] == [500, 204, 200]


def test_an_unrouted_path_is_none_of_our_business() -> None:
    async def upload(request: Request) -> Response:
        assert not hasattr(request.state, "webhook")
        return Response(await as_stream(request), status_code=202)

    app = made(seen_by)
    app.add_route("/upload", upload, methods=["POST"])
    answer = TestClient(app).post("/upload", content=RAW)
    assert (answer.status_code, answer.content) == (202, RAW)


def test_lifespan_and_its_state_pass_through(backend: Literal["asyncio", "trio"]) -> None:
    diary: list[str] = []

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, str]]:
        diary.append("up")
        yield {"database": "open"}
        diary.append("down")

    def endpoint(request: Request) -> Response:
        diary.append(f"{request.state.database} for {request.state.webhook.provider}")
        return Response(status_code=204)

    app = Starlette(routes=[Route(PATH, endpoint, methods=["POST"])], middleware=[latch()], lifespan=lifespan)
    with TestClient(app, backend=backend) as client:
        delivery = signed()
        assert client.post(PATH, headers=delivery.headers, content=delivery.body).status_code == 204
    assert diary == ["up", "open for github", "down"]


def test_a_websocket_is_closed_on_a_route_and_passes_elsewhere() -> None:
    async def greet(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text("hello")
        await websocket.close()

    app = Starlette(routes=[WebSocketRoute("/live", greet), WebSocketRoute(PATH, greet)], middleware=[latch()])
    with TestClient(app) as client:
        with client.websocket_connect("/live") as live:
            assert live.receive_text() == "hello"
        with pytest.raises(WebSocketDisconnect), client.websocket_connect(PATH):
            pass


def test_an_endpoint_reached_without_a_latch_answers_401(caplog: pytest.LogCaptureFixture) -> None:
    answer = post(Starlette(routes=[Route(PATH, seen_by, methods=["POST"])]), signed())
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Webhook-Signature realm="webhook"'
    assert answer.headers["cache-control"] == "no-store"
    assert "no verdict is attached" in caplog.text


@pytest.mark.parametrize("expected", [GITHUB, "github", GITHUB.chain(SECRET), None])
def test_the_expected_sender_is_let_in(expected: Any) -> None:
    app = made(lambda request: PlainTextResponse(webhook_of(request, expected).provider))
    assert post(app, signed()).text == "github"


@pytest.mark.parametrize("expected", [STRIPE, "stripe", STRIPE.chain(SECRET)])
def test_another_sender_than_the_expected_one_answers_401(expected: Any) -> None:
    app = made(lambda request: PlainTextResponse(webhook_of(request, expected).provider))
    # A kept claim would answer the second one with 409, a committed one with 200.
    assert [post(app, signed()).status_code for _ in range(2)] == [401, 401]


def test_a_verdict_on_another_request_opens_nothing() -> None:
    seen: list[Webhook] = []

    class Confused:
        """Attaches what was given for another request."""

        def __init__(self, app: ASGIApp) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await self.app({**scope, "state": {"webhook": seen[0] if seen else None}}, receive, send)

    def endpoint(request: Request) -> Response:
        seen.append(webhook_of(request))
        return Response(status_code=204)

    app = made(endpoint, Middleware(Confused))
    app.add_route("/elsewhere", endpoint, methods=["POST"])
    assert post(app, signed()).status_code == 204
    assert post(app, signed(url="/elsewhere")).status_code == 401


def test_marked_test_traffic_reaches_only_endpoints_that_ask_for_it() -> None:
    chain = GITHUB.chain([SECRET, Secret(TEST_SECRET, test=True)], test_agents=["Button/*"], on_test="mark")
    app = Starlette(
        routes=[
            Route("/hooks/closed", lambda r: PlainTextResponse(str(webhook_of(r).test)), methods=["POST"]),
            Route(
                "/hooks/open", lambda r: PlainTextResponse(str(webhook_of(r, allow_test=True).test)), methods=["POST"]
            ),
        ],
        middleware=[latch(routes={"/hooks/*": chain})],
    )

    def press(url: str) -> Any:
        return post(app, GITHUB.sign(JSON, secret=TEST_SECRET, url=url, headers={"user-agent": "Button/1"}))

    assert press("/hooks/closed").status_code == 401
    assert press("/hooks/open").text == "True"
    assert post(app, signed(url="/hooks/closed")).text == "False"
