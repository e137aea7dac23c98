"""hooklatch.fastapi: what a handler gets as parameters, what OpenAPI says of it, and what locks it a second time."""

import inspect
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any, Literal, assert_type

import pytest
from fastapi import BackgroundTasks, Body, FastAPI, File, Form, Request, UploadFile
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field, field_validator
from starlette.testclient import TestClient
from starlette.types import ASGIApp

import hooklatch.asgi
from hooklatch import ConfigError, Delivery, Header, NotProven, Provider, Query, Secret, Webhook
from hooklatch.fastapi import REFUSALS, Payload, WebhookMiddleware, payload, verified
from hooklatch.providers import GITHUB, MECHANIC, MOMENTO, PATCHWORKS_SIGNATURE, STRIPE
from hooklatch.stores import MemoryStore
from hooklatch.types import Claim

SECRET = "one secret, long enough"
TEST_SECRET = "another one, for the sender's test button"
PATH = "/hooks/github"
SHOP = "/hooks/shop"

# Spaces and the newline would not survive a parser and its writer.
JSON = b'{"ref":  "refs/heads/main", "count": 2}\n'
FORM = b"payload=%7B%22ref%22%3A%22main%22%7D&count=2"
MULTIPART = (
    b'--cut\r\nContent-Disposition: form-data; name="title"\r\n\r\nreport\r\n'
    b'--cut\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n\x00\xff\r\n\x01\r\n--cut--\r\n'
)
AS_FORM = "application/x-www-form-urlencoded"
AS_MULTIPART = "multipart/form-data; boundary=cut"

Backend = Literal["asyncio", "trio"]
Hook = Annotated[Webhook, verified(GITHUB)]


class Push(BaseModel):
    ref: str
    count: int = Field(ge=0)

    @field_validator("ref")
    @classmethod
    def no_blanks(cls, ref: str) -> str:
        if " " in ref:
            msg = "a ref has no blanks"
            raise ValueError(msg)
        return ref


class Customer(BaseModel):
    customer_id: int
    email: str = "nobody vouches for it"


def signed(body: bytes = JSON, kind: str | None = "application/json", *, url: str = PATH, **headers: str) -> Delivery:
    lines = {name.replace("_", "-"): value for name, value in headers.items()}
    if kind is not None:
        lines["content-type"] = kind
    return GITHUB.sign(body, secret=SECRET, url=url, headers=lines)


def post(app: ASGIApp, delivery: Delivery, *, backend: Backend = "asyncio") -> Any:
    client = TestClient(app, raise_server_exceptions=False, backend=backend, follow_redirects=False)
    return client.request(delivery.method, delivery.url, headers=delivery.headers, content=delivery.body)


def made(handler: Callable[..., Any], *, url: str = PATH, status: int = 200, **settings: Any) -> FastAPI:
    app = FastAPI()
    app.post(url, status_code=status)(handler)
    app.add_middleware(WebhookMiddleware, **{"routes": {url: GITHUB.chain(SECRET)}, **settings})
    return app


@pytest.fixture(params=["asyncio", "trio"])
def backend(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_the_middleware_is_the_one_of_the_asgi_door() -> None:
    assert WebhookMiddleware is hooklatch.asgi.WebhookMiddleware


# What a handler gets.


async def model_async(webhook: Hook, event: Push) -> Any:
    return [webhook.provider, event.ref, event.count]


def model_sync(webhook: Hook, event: Push) -> Any:
    return [webhook.provider, event.ref, event.count]


async def payload_async(webhook: Hook, event: Payload[Push]) -> Any:
    assert_type(event, Push)
    assert type(event) is Push
    return [webhook.provider, event.ref, event.count]


def payload_sync(webhook: Hook, event: Payload[Push]) -> Any:
    return [webhook.provider, event.ref, event.count]


@pytest.mark.parametrize("spool_threshold", [1 << 20, 0], ids=["memory", "disk"])
@pytest.mark.parametrize("handler", [model_async, model_sync, payload_async, payload_sync])
def test_a_handler_gets_verdict_and_model(handler: Callable[..., Any], spool_threshold: int, backend: Backend) -> None:
    answer = post(made(handler, spool_threshold=spool_threshold), signed(), backend=backend)
    assert (answer.status_code, answer.json()) == (200, ["github", "refs/heads/main", 2])


async def form_async(webhook: Hook, payload: Annotated[str, Form()], count: Annotated[int, Form()]) -> Any:
    return [payload, count, webhook.body.decode()]


def form_sync(webhook: Hook, payload: Annotated[str, Form()], count: Annotated[int, Form()]) -> Any:
    return [payload, count, webhook.body.decode()]


@pytest.mark.parametrize("handler", [form_async, form_sync])
def test_form_parameters_work_beside_the_verdict(handler: Callable[..., Any], backend: Backend) -> None:
    answer = post(made(handler), signed(FORM, AS_FORM), backend=backend)
    assert answer.json() == ['{"ref":"main"}', 2, FORM.decode()]


@pytest.mark.parametrize("spool_threshold", [1 << 20, 0], ids=["memory", "disk"])
def test_uploaded_files_work_beside_the_verdict(spool_threshold: int) -> None:
    async def handler(webhook: Hook, title: Annotated[str, Form()], file: Annotated[UploadFile, File()]) -> Any:
        return [title, file.filename, (await file.read()).hex(), webhook.body.hex()]

    answer = post(made(handler, spool_threshold=spool_threshold), signed(MULTIPART, AS_MULTIPART))
    assert answer.json() == ["report", "a.bin", b"\x00\xff\r\n\x01".hex(), MULTIPART.hex()]


def test_the_raw_body_and_the_stream_hold_the_exact_bytes() -> None:
    raw = b"\x00\xff\r\n%2B&=\x80"

    async def handler(request: Request) -> Any:
        streamed = b"".join([piece async for piece in request.stream()])
        return [streamed.hex(), request.state.webhook.body.hex()]

    async def whole(request: Request) -> Any:
        return [(await request.body()).hex(), request.state.webhook.body.hex()]

    for reader in (handler, whole):
        assert post(made(reader), signed(raw, "application/octet-stream")).json() == [raw.hex()] * 2


# What it never sees.


class Recorder:
    """A handler that remembers how often it ran, and fails when told to."""

    def __init__(self) -> None:
        self.runs = 0
        self.failures = 0

    async def handle(self) -> None:
        self.runs += 1
        if self.failures:
            self.failures -= 1
            msg = "the handler failed"
            raise LookupError(msg)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def test_what_is_not_signed_is_a_401_before_any_parser_looks(recorder: Recorder) -> None:
    async def handler(event: Push) -> None:
        await recorder.handle()

    app = made(handler)
    for body in (JSON + b" ", b"{not json", b""):
        answer = post(app, signed()._replace(body=body))
        assert (answer.status_code, answer.headers["cache-control"]) == (401, "no-store")
        assert "webhook" in answer.headers["www-authenticate"].lower()
    assert recorder.runs == 0
    assert post(app, signed()).status_code == 200


def test_a_refusal_has_the_status_the_sender_documents(recorder: Recorder) -> None:
    delivery = MOMENTO.sign({"text": "hello"}, secret="not the secret of this route", url=PATH)
    assert post(made(recorder.handle, routes={PATH: MOMENTO.chain(SECRET)}), delivery).status_code == 403
    assert recorder.runs == 0


def test_a_processed_delivery_is_acknowledged_and_not_run_again(recorder: Recorder, backend: Backend) -> None:
    app = made(recorder.handle, status=204)
    first, second = (post(app, signed(), backend=backend) for _ in range(2))
    assert (first.status_code, "hooklatch-duplicate" in first.headers) == (204, False)
    assert (second.status_code, "hooklatch-duplicate" in second.headers) == (200, True)
    assert recorder.runs == 1


def test_a_failed_handler_gives_its_claim_back(recorder: Recorder, backend: Backend) -> None:
    app = made(recorder.handle, status=204)
    recorder.failures = 1
    assert [post(app, signed(), backend=backend).status_code for _ in range(3)] == [500, 204, 200]
    assert recorder.runs == 2


@pytest.mark.parametrize("handler", [model_async, payload_async])
def test_a_proven_body_that_does_not_fit_gives_its_claim_back(handler: Callable[..., Any]) -> None:
    app = made(handler)
    # A kept claim would answer the second one with 409, a committed one with 200.
    assert [post(app, signed(b'{"ref": "x"}')).status_code for _ in range(2)] == [422, 422]


class Watched(MemoryStore):
    """A memory that writes down when a delivery was committed, among what else happens."""

    def __init__(self, diary: list[str]) -> None:
        super().__init__()
        self.diary = diary

    def commit(self, claim: Claim, /) -> bool:
        self.diary.append("commit")
        return super().commit(claim)


def test_a_background_task_runs_after_the_commit() -> None:
    diary: list[str] = []

    async def handler(webhook: Hook, tasks: BackgroundTasks) -> None:
        tasks.add_task(lambda: diary.append(webhook.body.decode()))
        diary.append("handler")

    assert post(made(handler, store=Watched(diary), spool_threshold=0), signed()).status_code == 200
    assert diary == ["handler", "commit", JSON.decode()]


def test_a_streamed_answer_arrives_whole_and_commits_with_its_last_chunk(backend: Backend) -> None:
    diary: list[str] = []

    async def pieces() -> AsyncIterator[str]:
        for piece in ("one ", "two ", "three"):
            diary.append(piece)
            yield piece

    async def handler(webhook: Hook) -> StreamingResponse:
        return StreamingResponse(pieces())

    assert post(made(handler, store=Watched(diary)), signed(), backend=backend).text == "one two three"
    assert diary == ["one ", "two ", "three", "commit"]


def test_an_unrouted_path_is_none_of_our_business(recorder: Recorder) -> None:
    async def upload(request: Request) -> Any:
        assert not hasattr(request.state, "webhook")
        return (await request.body()).hex()

    app = made(recorder.handle)
    app.post("/upload")(upload)
    assert TestClient(app).post("/upload", content=b"\x00\xff").json() == "00ff"
    assert TestClient(app).get("/docs").status_code == 200


def test_below_protect_nothing_is_reached_without_a_route(recorder: Recorder) -> None:
    app = made(recorder.handle, protect=["/hooks/*"])
    app.post("/hooks/forgotten")(recorder.handle)
    assert post(app, signed(url="/hooks/forgotten")).status_code == 401
    assert recorder.runs == 0


@pytest.mark.parametrize("route", [PATH, f"/api{PATH}"])
def test_below_a_mount_or_a_root_path_a_route_may_be_written_with_or_without_it(route: str) -> None:
    full = f"/api{PATH}"
    app = made(model_async, routes={route: GITHUB.chain(SECRET, on_duplicate="run")})
    outer = FastAPI()
    outer.mount("/api", app)
    proxied = TestClient(app, root_path="/api")
    # Some servers put the root path into the path, as ASGI asks, and some do not.
    for client, url in ((TestClient(outer), full), (proxied, full), (proxied, PATH)):
        delivery = signed(url=url)
        assert client.post(url, headers=delivery.headers, content=delivery.body).json()[0] == "github"
        assert client.post(url, headers=delivery.headers, content=b"{}").status_code == 401


# The second lock.


def test_a_handler_reached_without_a_latch_answers_401(caplog: pytest.LogCaptureFixture) -> None:
    app = FastAPI()
    app.post("/verified")(model_async)

    @app.post("/payload")
    async def handler(event: Payload[Push]) -> str:
        return event.ref

    for url in ("/verified", "/payload"):
        caplog.clear()
        answer = post(app, signed(url=url))
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == 'Webhook-Signature realm="webhook"'
        assert answer.headers["cache-control"] == "no-store"
        assert "no verdict is attached" in caplog.text


@pytest.mark.parametrize("expected", [GITHUB, "github", GITHUB.chain(SECRET)], ids=["provider", "name", "chain"])
def test_a_handler_runs_for_its_own_sender_only(expected: Any) -> None:
    ran: list[str] = []

    async def handler(webhook: Annotated[Webhook, verified(expected)]) -> None:
        ran.append(webhook.provider)

    app = made(handler, routes={PATH: GITHUB.chain(SECRET), "/hooks/stripe": STRIPE.chain(SECRET)})
    app.post("/hooks/stripe")(handler)
    assert post(app, STRIPE.sign({"id": "evt_1"}, secret=SECRET, url="/hooks/stripe")).status_code == 401
    assert ran == []
    assert post(app, signed()).status_code == 200
    assert ran == ["github"]


def test_a_payload_can_name_its_sender() -> None:
    async def handler(event: Annotated[Push, payload(Push, STRIPE)]) -> str:
        return event.ref

    assert post(made(handler), signed()).status_code == 401


@pytest.mark.parametrize("expected", [post, None, 7])
def test_a_lock_without_a_sender_is_a_mistake_that_shows_at_start_up(expected: Any) -> None:
    with pytest.raises(ConfigError, match=r"verified\(GITHUB\)"):
        verified(expected)


def test_marked_test_traffic_reaches_only_handlers_that_ask_for_it() -> None:
    chain = GITHUB.chain([SECRET, Secret(TEST_SECRET, test=True)], test_agents=["Button/*"], on_test="mark")

    async def closed(webhook: Hook) -> bool:
        return webhook.test

    async def closed_payload(event: Payload[Push]) -> str:
        return event.ref

    async def opened(webhook: Annotated[Webhook, verified(GITHUB, allow_test=True)]) -> bool:
        return webhook.test

    async def opened_payload(event: Annotated[Push, payload(Push, allow_test=True)]) -> str:
        return event.ref

    handlers: list[Callable[..., Any]] = [closed, closed_payload, opened, opened_payload]
    app = FastAPI()
    app.add_middleware(WebhookMiddleware, routes={"/hooks/*": chain})
    answers = []
    for number, handler in enumerate(handlers):
        app.post(f"/hooks/{number}")(handler)
        push = {"ref": "main", "count": number}
        button = {"user-agent": "Button/1"}
        answers.append(post(app, GITHUB.sign(push, secret=TEST_SECRET, url=f"/hooks/{number}", headers=button)))
    assert [answer.status_code for answer in answers] == [401, 401, 200, 200]
    assert [answer.json() for answer in answers[2:]] == [True, "main"]
    assert post(app, signed(url="/hooks/0")).json() is False


# Payload.


@pytest.mark.parametrize("kind", ["text/plain; charset=UTF-8", None, "application/octet-stream", AS_FORM])
def test_a_payload_is_read_whatever_the_content_type_says(kind: str | None) -> None:
    assert post(made(payload_async), signed(JSON, kind)).json() == ["github", "refs/heads/main", 2]


BAD = {
    "missing": b'{"ref": "main"}',
    "wrong type": b'{"ref": "main", "count": "many"}',
    "constraint": b'{"ref": "main", "count": -1}',
    "own validator": b'{"ref": "a b", "count": 1}',
    "several": b'{"ref": 7, "count": []}',
}


@pytest.mark.parametrize("body", BAD.values(), ids=BAD.keys())
def test_a_payload_that_does_not_fit_is_told_as_fastapi_would(body: bytes) -> None:
    told, usual = (post(made(handler), signed(body)) for handler in (payload_async, model_async))
    assert told.status_code == usual.status_code == 422
    assert told.json() == usual.json()


def test_a_payload_of_another_shape_is_a_422() -> None:
    answer = post(made(payload_async), signed(b"[]"))
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body"])


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe", b'{"ref": "\xff", "count": 1}', b'{"ref": "\\ud800", "count": 1}']
)
def test_a_payload_that_is_no_json_is_a_422(body: bytes) -> None:
    answer = post(made(payload_async), signed(body))
    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert (problem["type"], problem["loc"][0], problem["input"]) == ("json_invalid", "body", {})


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"customer_id=7&email=mallory%40example.com", AS_FORM),
        (b'{"customer_id": 7, "email": "mallory@example.com"}', "application/json"),
    ],
    ids=["form", "json"],
)
def test_where_only_fields_are_signed_a_payload_holds_nothing_else(body: bytes, kind: str) -> None:
    async def handler(
        webhook: Annotated[Webhook, verified(MECHANIC)], customer: Payload[Customer], raw: Request
    ) -> Any:
        assert webhook.coverage == "fields"
        return [customer.customer_id, customer.email, (await raw.body()).startswith(body[:-1])]

    app = made(handler, url=SHOP, routes={SHOP: MECHANIC.chain(SECRET)})
    delivery = MECHANIC.sign(body, secret=SECRET, url=SHOP, headers={"content-type": kind})
    assert post(app, delivery).json() == [7, "nobody vouches for it", True]


def test_signed_fields_that_do_not_fit_are_a_422() -> None:
    async def handler(customer: Payload[Customer]) -> int:
        return customer.customer_id

    app = made(handler, url=SHOP, routes={SHOP: MECHANIC.chain(SECRET)})
    answer = post(app, MECHANIC.sign(b"customer_id=seven", secret=SECRET, url=SHOP))
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "customer_id"]


def test_what_nobody_signed_cannot_become_a_payload(recorder: Recorder) -> None:
    async def handler(event: Payload[Push]) -> None:
        await recorder.handle()

    app = made(handler, routes={PATH: PATCHWORKS_SIGNATURE.chain(SECRET)})
    delivery = PATCHWORKS_SIGNATURE.sign(JSON, secret=SECRET, url=PATH)
    with pytest.raises(NotProven, match="not the body"):
        TestClient(app).post(PATH, headers=delivery.headers, content=delivery.body)
    assert recorder.runs == 0


def test_a_payload_may_be_any_type_that_pydantic_knows() -> None:
    async def listed(events: Payload[list[Push]]) -> list[str]:
        return [event.ref for event in events]

    async def either(event: Payload[Push | Customer]) -> str:
        return type(event).__name__

    assert post(made(listed), signed(b"[" + JSON + b"," + JSON + b"]")).json() == ["refs/heads/main"] * 2
    assert post(made(either), signed(b'{"customer_id": 1}')).json() == "Customer"


def test_a_payload_can_stand_beside_the_framework_s_own_body() -> None:
    async def handler(event: Payload[Push], again: Annotated[dict[str, Any], Body()]) -> Any:
        return [event.ref, again["ref"]]

    assert post(made(handler), signed()).json() == ["refs/heads/main"] * 2


# OpenAPI.


def described(expected: Any) -> tuple[dict[str, Any], list[dict[str, list[str]]]]:
    async def handler(webhook: Annotated[Webhook, verified(expected)]) -> None: ...

    document = made(handler).openapi()
    (scheme,) = document["components"]["securitySchemes"].values()
    return scheme, document["paths"][PATH]["post"]["security"]


def test_openapi_names_the_header_that_carries_the_signature() -> None:
    scheme, security = described(GITHUB)
    assert security == [{"github webhook": []}]
    assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "header", "x-hub-signature-256")
    assert "hmac-sha256" in scheme["description"]
    assert "https://docs.github.com" in scheme["description"]


def test_openapi_names_the_query_parameter_that_carries_the_signature() -> None:
    scheme, _ = described(Provider(name="acme", signature=Query("sig"), signed="{body}"))
    assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "query", "sig")


def test_openapi_names_the_first_place_in_the_head_where_there_are_several() -> None:
    scheme, _ = described(PATCHWORKS_SIGNATURE)
    assert (scheme["in"], scheme["name"]) == ("header", "patchworks-signature")


def test_openapi_describes_a_signature_in_the_body_in_words() -> None:
    scheme, security = described(MECHANIC)
    assert security == [{"mechanic webhook": []}]
    assert (scheme["type"], scheme["scheme"]) == ("http", "webhook-signature")
    assert "In the body" in scheme["description"]
    assert "customer_id_signature" in scheme["description"]


@pytest.mark.parametrize("expected", ["acme", GITHUB.chain(SECRET)])
def test_openapi_shows_no_secret_and_invents_no_place(expected: Any) -> None:
    scheme, _ = described(expected)
    assert scheme["type"] == "http"
    assert SECRET not in str(scheme)


def test_openapi_shows_what_the_door_may_answer() -> None:
    async def handler(webhook: Hook) -> Any:
        return webhook.provider

    app = FastAPI()
    app.post(PATH, responses=REFUSALS)(handler)
    app.add_middleware(WebhookMiddleware, routes={PATH: GITHUB.chain(SECRET)})
    shown = app.openapi()["paths"][PATH]["post"]["responses"]
    assert {"200", "401", "403", "409", "413", "503"} <= shown.keys()
    (kind,) = shown["401"]["content"]
    schema = shown["401"]["content"][kind]["schema"]
    answer = post(app, signed()._replace(headers={}))
    assert answer.headers["content-type"] == kind
    assert set(schema["required"]) <= answer.json().keys() <= set(schema["properties"])


def test_a_latch_around_a_sub_application_of_fastapi_is_believed_inside() -> None:
    inner = FastAPI()

    @inner.post("/github")
    async def handler(webhook: Hook, event: Payload[Push]) -> Any:
        return [webhook.path, event.ref]

    app = FastAPI()
    app.mount("/hooks", inner)
    app.add_middleware(WebhookMiddleware, routes={PATH: GITHUB.chain(SECRET)})
    assert post(app, signed()).json() == [PATH, "refs/heads/main"]
    assert post(app, signed()._replace(headers={})).status_code == 401


def test_two_handlers_of_one_sender_share_a_scheme() -> None:
    app = made(model_async)
    app.post("/hooks/other")(payload_sync)
    assert list(app.openapi()["components"]["securitySchemes"]) == ["github webhook"]


def test_the_example_of_the_manual_runs() -> None:
    acme = Provider(name="acme", signature=Header("x-acme-signature"))
    app = FastAPI()

    @app.post("/hooks/acme", status_code=204)
    async def push(webhook: Annotated[Webhook, verified(acme)], event: Payload[Push]) -> None:
        assert (webhook.provider, event.count) == ("acme", 2)

    app.add_middleware(WebhookMiddleware, routes={"/hooks/acme": acme.chain(SECRET)}, protect=["/hooks/*"])
    assert inspect.iscoroutinefunction(push)
    assert post(app, acme.sign(JSON, secret=SECRET, url="/hooks/acme")).status_code == 204
