"""hooklatch.flask: what a view gets, what it never sees, and what locks it a second time."""

from __future__ import annotations

import inspect
import io
from typing import TYPE_CHECKING, Any

import pytest
from flask import Blueprint, Flask, Response, redirect, request
from flask.views import MethodView
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import Client, EnvironBuilder, run_wsgi_app

from hooklatch import ConfigError, Secret, Webhook
from hooklatch.flask import Hooklatch, Settings, verified, webhook
from hooklatch.providers import GITHUB, MOMENTO, STRIPE
from hooklatch.stores import MemoryStore
from hooklatch.wsgi import WebhookMiddleware

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask.typing import ResponseReturnValue, RouteCallable
    from werkzeug.test import TestResponse

    from hooklatch import Chain, Delivery
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


def post(app: Any, delivery: Delivery, **overrides: Any) -> TestResponse:
    # Buffered, because a server reads an answer to its end and closes it.
    return Client(app, Response).open(
        delivery.url,
        method=delivery.method,
        headers=delivery.headers,
        data=delivery.body,
        environ_overrides=overrides,
        buffered=True,
    )


def made(view: RouteCallable, *, url: str = PATH, **settings: Any) -> Flask:
    app = Flask("made")
    app.add_url_rule(url, "view", view, methods=["POST"])
    settings.setdefault("routes", {url: GITHUB.chain(SECRET)})
    Hooklatch().init_app(app, **settings)
    return app


class Recorder:
    """A view that remembers how often it ran, and fails when told to."""

    def __init__(self) -> None:
        self.runs = 0
        self.failures = 0

    def __call__(self) -> ResponseReturnValue:
        self.runs += 1
        if self.failures:
            self.failures -= 1
            msg = "the view failed"
            raise LookupError(msg)
        return "", 204


@pytest.fixture
def view() -> Recorder:
    return Recorder()


def as_form() -> object:
    return {name: request.form.getlist(name) for name in request.form}


def as_files() -> object:
    return {name: (file.filename, file.read()) for name, file in request.files.items()}


READERS: dict[str, Callable[[], object]] = {
    "data": lambda: request.get_data(cache=True),
    "data, uncached": lambda: request.get_data(cache=False),
    "data, form parsed first": lambda: request.get_data(parse_form_data=True),
    "stream": lambda: request.stream.read(-1),
    "stream in pieces": lambda: [request.stream.read(3), request.stream.read(4), request.stream.read()],
    "json": lambda: request.get_json(silent=True),
    "form": as_form,
    "files": as_files,
    "length": lambda: request.content_length or 0,
}
ORDERS = [(first, second) for first in READERS for second in READERS]


@pytest.mark.parametrize("spool_threshold", [1 << 20, 0], ids=["memory", "disk"])
@pytest.mark.parametrize("shape", BODIES)
def test_a_view_reads_the_body_as_it_would_without_a_latch_in_any_order(shape: str, spool_threshold: int) -> None:
    found: list[object] = []
    order: list[str] = []

    def view() -> str:
        found.extend(READERS[name]() for name in order)
        return "read"

    bare = Flask("bare")
    bare.add_url_rule(PATH, "view", view, methods=["POST"])
    latched = made(view, spool_threshold=spool_threshold, routes={PATH: GITHUB.chain(SECRET, on_duplicate="run")})
    delivery = signed(*BODIES[shape])
    for names in ORDERS:
        order[:] = names
        results = []
        for app in (bare, latched):
            assert post(app, delivery).get_data() == b"read"
            results.append(list(found))
            found.clear()
        assert results[1] == results[0], names


@pytest.mark.parametrize(
    ("shape", "reader", "expected"),
    [
        ("json", "json", {"ref": "refs/heads/main", "n": 100.0}),
        ("json", "data", JSON),
        ("form", "form", {"payload": ['{"ref":"main"}'], "n": ["1", "2"]}),
        ("multipart", "form", {"title": ["report"]}),
        ("multipart", "files", {"file": ("a.bin", b"\x00\xff\r\n\x01")}),
        ("raw", "data", RAW),
        ("raw", "stream", RAW),
    ],
)
def test_a_view_reads(shape: str, reader: str, expected: object) -> None:
    found: list[object] = []

    def view() -> str:
        found.append(READERS[reader]())
        return "read"

    assert post(made(view), signed(*BODIES[shape])).status_code == 200
    assert found == [expected]


@pytest.mark.parametrize("spool_threshold", [1 << 20, 0], ids=["memory", "disk"])
def test_the_proven_bytes_outlive_the_parsing_of_the_form(spool_threshold: int) -> None:
    found: list[object] = []

    def view() -> str:
        found.extend([request.form["title"], request.get_data(), webhook.body, webhook.open().read()])
        return "read"

    post(made(view, spool_threshold=spool_threshold), signed(*BODIES["multipart"]))
    assert found == ["report", b"", MULTIPART, MULTIPART]


def test_a_chunked_body_without_a_length_is_judged_and_read_whole() -> None:
    app = made(lambda: (request.get_data(), {"x-length": str(request.content_length)}))
    headers = [*signed().headers.items(), ("transfer-encoding", "chunked")]
    environ = EnvironBuilder(PATH, method="POST", headers=headers, input_stream=io.BytesIO(JSON)).get_environ()
    environ["wsgi.input_terminated"] = True
    del environ["CONTENT_LENGTH"]
    pieces, _, lines = run_wsgi_app(app, environ, buffered=True)
    assert (b"".join(pieces), lines["x-length"]) == (JSON, str(len(JSON)))


def test_the_verdict_is_at_hand_in_a_view_and_in_before_request() -> None:
    seen: list[Webhook] = []

    def view() -> str:
        seen.append(webhook)
        assert isinstance(webhook, Webhook)
        assert (webhook.provider, webhook.route, webhook.coverage) == ("github", PATH, "body")
        assert webhook.unsigned == {"event_type": "push"}
        assert webhook.json() == request.get_json()
        return "seen"

    app = made(view)
    app.before_request(lambda: seen.append(webhook._get_current_object()))  # type: ignore[attr-defined]
    assert post(app, signed(x_github_event="push")).get_data() == b"seen"
    assert type(seen[0]) is Webhook
    assert len(seen) == 2


def test_what_is_not_signed_never_reaches_flask(view: Recorder) -> None:
    touched: list[str] = []
    app = made(view)
    app.before_request(lambda: touched.append("before_request"))

    def to_login(error: Exception) -> ResponseReturnValue:
        touched.append("errorhandler")
        return redirect("/login")

    app.register_error_handler(401, to_login)
    genuine = signed()
    for forged in (genuine._replace(body=JSON + b" "), genuine._replace(headers={"content-type": "application/json"})):
        answer = post(app, forged)
        assert (answer.status_code, answer.headers["cache-control"]) == (401, "no-store")
        assert "webhook" in answer.headers["www-authenticate"].lower()
    assert (view.runs, touched) == (0, [])


def test_a_refusal_has_the_status_the_sender_documents(view: Recorder) -> None:
    app = made(view, url="/hooks/momento", routes={"/hooks/momento": MOMENTO.chain(SECRET)})
    delivery = MOMENTO.sign({"text": "hello"}, secret="not the secret of this route", url="/hooks/momento")
    assert post(app, delivery).status_code == 403
    assert view.runs == 0


def test_a_proven_sender_with_a_foreign_agent_is_forbidden(view: Recorder) -> None:
    app = made(view, routes={PATH: GITHUB.chain(SECRET, other_agents="reject")})
    assert post(app, signed(user_agent="curl/8.0")).status_code == 403
    assert view.runs == 0
    assert post(app, signed()).status_code == 204


def test_below_protect_nothing_is_reached_without_a_route(view: Recorder) -> None:
    app = made(view, protect=["/hooks/*"])
    app.add_url_rule("/hooks/forgotten", "forgotten", view, methods=["POST"])
    assert post(app, signed(url="/hooks/forgotten")).status_code == 401
    assert view.runs == 0


def test_an_unrouted_path_is_none_of_our_business() -> None:
    def view() -> ResponseReturnValue:
        assert "hooklatch.webhook" not in request.environ
        return request.get_data(), 202

    app = made(Recorder())
    app.add_url_rule("/upload", "upload", view, methods=["POST"])
    # Only the latch may put something there, so it also takes away what another layer has put there.
    unsigned = GITHUB.sign(RAW, secret=SECRET, url="/upload")._replace(headers={})
    answer = post(app, unsigned, **{"hooklatch.webhook": "forged"})
    assert (answer.status_code, answer.get_data()) == (202, RAW)


def test_a_processed_delivery_is_acknowledged_and_not_run_again(view: Recorder) -> None:
    app = made(view)
    first, second = post(app, signed()), post(app, signed())
    assert (first.status_code, "hooklatch-duplicate" in first.headers) == (204, False)
    assert (second.status_code, "hooklatch-duplicate" in second.headers) == (200, True)
    assert view.runs == 1


@pytest.mark.parametrize("testing", [False, True], ids=["500", "propagated"])
def test_a_failed_view_gives_its_claim_back(view: Recorder, testing: bool) -> None:
    app = made(view)
    app.testing = testing
    view.failures = 1
    if testing:
        with pytest.raises(LookupError):
            post(app, signed())
    else:
        assert post(app, signed()).status_code == 500
    assert [post(app, signed()).status_code for _ in range(2)] == [204, 200]
    assert view.runs == 2


def test_an_answer_other_than_2xx_gives_the_claim_back() -> None:
    answers = [("busy", 503), ("done", 201)]
    app = made(lambda: answers.pop(0))
    assert [post(app, signed()).status_code for _ in range(3)] == [503, 201, 200]


def test_a_streamed_answer_arrives_whole_and_commits_with_its_last_chunk() -> None:
    chunks: list[bytes] = []
    committed: list[int] = []

    class Watched(MemoryStore):
        def commit(self, claim: Claim, /) -> bool:
            committed.append(len(chunks))
            return super().commit(claim)

    def view() -> Response:
        def pieces() -> Iterator[bytes]:
            for piece in (b"one ", b"two ", b"three"):
                chunks.append(piece)
                yield piece

        return Response(pieces())

    app = made(view, store=Watched())
    assert post(app, signed()).get_data() == b"one two three"
    assert committed == [3]
    assert "hooklatch-duplicate" in post(app, signed()).headers


def test_one_latch_serves_every_application_of_a_factory() -> None:
    latch = Hooklatch(routes={PATH: GITHUB.chain(SECRET)})

    def create_app(**settings: Any) -> tuple[Flask, Recorder]:
        app, view = Flask("factory"), Recorder()
        app.add_url_rule(PATH, "view", view, methods=["POST"])
        app.add_url_rule("/other", "other", view, methods=["POST"])
        latch.init_app(app, **settings)
        return app, view

    first, first_view = create_app()
    second, second_view = create_app(routes={"/other": GITHUB.chain(SECRET)})
    assert post(first, signed()).status_code == 204
    assert post(second, signed(url="/other")).status_code == 204
    assert (first_view.runs, second_view.runs) == (1, 1)
    assert first.extensions["hooklatch"] is not second.extensions["hooklatch"]
    # Neither has the other's routes, nor its memory.
    assert post(first, signed()._replace(headers={})).status_code == 401
    assert post(second, signed()._replace(headers={})).status_code == 204
    assert post(create_app()[0], signed()).status_code == 204


def test_the_constructor_can_latch_an_application_at_once(view: Recorder) -> None:
    app = Flask("at once")
    app.add_url_rule(PATH, "view", view, methods=["POST"])
    Hooklatch(app, routes={PATH: GITHUB.chain(SECRET)})
    assert [post(app, signed()).status_code, post(app, signed()._replace(headers={})).status_code] == [204, 401]


def test_an_application_is_latched_once(view: Recorder) -> None:
    app = made(view)
    installed = app.wsgi_app
    assert app.extensions["hooklatch"] is installed
    assert isinstance(installed, WebhookMiddleware)
    with pytest.raises(ConfigError, match="latched already"):
        Hooklatch().init_app(app, routes={"/other": GITHUB.chain(SECRET)})
    assert app.wsgi_app is installed
    assert not isinstance(installed.app, WebhookMiddleware)


def test_saying_the_same_again_changes_nothing() -> None:
    latch = Hooklatch(store="memory://")
    routes = {PATH: GITHUB.chain(SECRET)}
    app = Flask("again")
    latch.init_app(app, routes=routes)
    installed = app.wsgi_app
    latch.init_app(app, routes=routes)
    assert app.wsgi_app is installed
    with pytest.raises(ConfigError, match="latched already"):
        latch.init_app(app, routes=routes, protect=["/hooks/*"])


def test_a_refused_configuration_leaves_the_application_as_it_was(view: Recorder) -> None:
    app = Flask("untouched")
    before = app.wsgi_app
    with pytest.raises(ConfigError, match="routes"):
        Hooklatch().init_app(app)
    assert app.wsgi_app == before
    assert "hooklatch" not in app.extensions
    Hooklatch().init_app(app, routes={PATH: GITHUB.chain(SECRET)})


@pytest.mark.parametrize("thing", [Flask("inner").wsgi_app, Blueprint("b", "b"), "app", object()])
def test_only_a_flask_application_can_be_latched(thing: Any) -> None:
    with pytest.raises(ConfigError, match="takes a Flask application"):
        Hooklatch().init_app(thing, routes={PATH: GITHUB.chain(SECRET)})


def test_the_settings_are_those_of_the_middleware() -> None:
    known = inspect.signature(WebhookMiddleware).parameters.keys() - {"app"}
    assert Settings.__annotations__.keys() == known


def test_proxy_fix_outside_corrects_what_the_view_sees() -> None:
    app = made(lambda: f"{request.remote_addr} {request.scheme}")
    app.wsgi_app = ProxyFix(app.wsgi_app)  # type: ignore[method-assign]
    delivery = signed(x_forwarded_for="203.0.113.9", x_forwarded_proto="https")
    assert post(app, delivery, REMOTE_ADDR="10.0.0.1").get_data() == b"203.0.113.9 https"
    assert post(app, delivery._replace(body=RAW)).status_code == 401


@pytest.mark.parametrize("route", [PATH, f"/api{PATH}"])
def test_below_a_prefix_that_proxy_fix_adds_a_route_may_be_written_with_or_without_it(
    view: Recorder, route: str
) -> None:
    app = made(view, routes={route: GITHUB.chain(SECRET)})
    app.wsgi_app = ProxyFix(app.wsgi_app, x_prefix=1)  # type: ignore[method-assign]
    assert post(app, signed(RAW, x_forwarded_prefix="/api")._replace(body=JSON)).status_code == 401
    assert view.runs == 0
    assert post(app, signed(x_forwarded_prefix="/api")).status_code == 204


def test_an_invented_prefix_leads_nobody_around_a_route(view: Recorder) -> None:
    app = made(view)
    app.wsgi_app = ProxyFix(app.wsgi_app, x_prefix=1)  # type: ignore[method-assign]
    assert post(app, signed()._replace(headers={"x-forwarded-prefix": "/around"})).status_code == 401
    assert view.runs == 0


@pytest.mark.parametrize("route", [PATH, f"/shop{PATH}"])
def test_under_a_dispatcher_a_route_may_be_written_with_or_without_the_prefix(route: str) -> None:
    app = made(lambda: f"{webhook.route} {webhook.path} {request.path}", routes={route: GITHUB.chain(SECRET)})
    site = DispatcherMiddleware(Flask("root"), {"/shop": app})
    delivery = signed(url=f"/shop{PATH}")
    assert post(site, delivery).get_data() == f"{route} /shop{PATH} {PATH}".encode()
    assert post(site, delivery._replace(body=RAW)).status_code == 401


def test_outside_of_a_request_the_verdict_says_so() -> None:
    with pytest.raises(RuntimeError, match=r"hooklatch\.flask\.webhook belongs to a request"):
        _ = webhook.provider


def demanding() -> str:
    return webhook.provider


def locked_by(lock: Callable[[Callable[[], str]], Callable[[], str]]) -> Callable[[], str]:
    return lock(lambda: "reached")


@pytest.mark.parametrize("view", [demanding, locked_by(verified(GITHUB))], ids=["proxy", "decorator"])
def test_a_view_reached_without_a_latch_answers_401(view: Callable[[], str], caplog: pytest.LogCaptureFixture) -> None:
    app = Flask("bare")
    app.add_url_rule(PATH, "view", view, methods=["POST"])
    app.register_error_handler(401, lambda error: redirect("/login"))
    answer = post(app, signed())
    assert (answer.status_code, answer.content_type) == (401, "application/problem+json")
    assert answer.json == {"title": "Unauthorized", "status": 401}
    assert answer.headers["www-authenticate"] == 'Webhook-Signature realm="webhook"'
    assert answer.headers["cache-control"] == "no-store"
    assert "no verdict is attached" in caplog.text


def test_a_view_that_no_route_names_is_left_to_the_second_lock(view: Recorder) -> None:
    app = made(verified(GITHUB)(view.__call__), routes={"/hooks/misspelt": GITHUB.chain(SECRET)})
    assert post(app, signed()).status_code == 401
    assert view.runs == 0


def test_a_verdict_on_another_request_opens_nothing() -> None:
    seen: list[Webhook] = []

    def view() -> str:
        seen.append(webhook._get_current_object())  # type: ignore[attr-defined]
        return "seen"

    app = made(view)
    app.add_url_rule("/elsewhere", "elsewhere", demanding, methods=["POST"])
    post(app, signed())
    assert post(app, signed(url="/elsewhere"), **{"hooklatch.webhook": seen[0]}).status_code == 401
    assert post(app, signed(url="/elsewhere"), **{"hooklatch.webhook": "github"}).status_code == 401


CHAINS: dict[str, Chain] = {PATH: GITHUB.chain(SECRET), "/hooks/stripe": STRIPE.chain(SECRET)}


@pytest.mark.parametrize("expected", [GITHUB, "github", CHAINS[PATH]], ids=["provider", "name", "chain"])
def test_a_locked_view_runs_for_its_own_sender_only(expected: Any) -> None:
    ran: list[str] = []

    @verified(expected)
    def view() -> str:
        ran.append(webhook.provider)
        return "ran"

    app = made(view, routes=CHAINS)
    app.add_url_rule("/hooks/stripe", "misrouted", view, methods=["POST"])
    assert post(app, STRIPE.sign({"id": "evt_1"}, secret=SECRET, url="/hooks/stripe")).status_code == 401
    assert post(app, signed()).get_data() == b"ran"
    assert ran == ["github"]


def test_a_refusal_by_the_second_lock_gives_the_claim_back() -> None:
    app = made(verified(STRIPE)(lambda: "ran"))
    # A kept claim would answer the second one with 409, a committed one with 200.
    assert [post(app, signed()).status_code for _ in range(2)] == [401, 401]


def test_an_async_view_can_be_locked() -> None:
    ran: list[str] = []

    @verified(GITHUB)
    async def view() -> ResponseReturnValue:
        ran.append("view")
        return webhook.provider, 202

    assert inspect.iscoroutinefunction(view)
    app = made(view)
    app.add_url_rule("/elsewhere", "elsewhere", view, methods=["POST"])
    assert post(app, signed(url="/elsewhere")).status_code == 401
    assert ran == []
    answer = post(app, signed())
    assert (answer.status_code, answer.get_data()) == (202, b"github")


def test_a_locked_view_keeps_its_name() -> None:
    @verified(GITHUB)
    def plain() -> str:
        """Say so."""
        return ""

    @verified(GITHUB)
    async def awaited() -> str:
        """Say so."""
        return ""

    assert [(view.__name__, view.__doc__) for view in (plain, awaited)] == [
        ("plain", "Say so."),
        ("awaited", "Say so."),
    ]


def test_a_class_based_view_can_be_locked() -> None:
    class Push(MethodView):
        decorators = [verified(GITHUB)]  # noqa: RUF012 - as Flask documents it

        def post(self, name: str) -> str:
            return f"{webhook.provider} {name}"

    app = Flask("classes")
    app.add_url_rule("/hooks/<name>", view_func=Push.as_view("push"))
    Hooklatch(app, routes={"/hooks/*": GITHUB.chain(SECRET)})
    assert post(app, signed(url="/hooks/one")).get_data() == b"github one"


@pytest.mark.parametrize("expected", [demanding, None, 7])
def test_a_lock_without_a_sender_is_a_mistake_that_shows_at_start_up(expected: Any) -> None:
    with pytest.raises(ConfigError, match=r"@verified\(GITHUB\)"):
        verified(expected)


def test_marked_test_traffic_reaches_only_views_that_ask_for_it() -> None:
    chain = GITHUB.chain([SECRET, Secret(TEST_SECRET, test=True)], test_agents=["Button/*"], on_test="mark")
    views: dict[str, Callable[[], str]] = {
        "proxy": demanding,
        "closed": verified(GITHUB)(lambda: "reached"),
        "open": verified(GITHUB, allow_test=True)(lambda: f"test={webhook.test}"),
    }
    app = Flask("marked")
    for name, view in views.items():
        app.add_url_rule(f"/hooks/{name}", name, view, methods=["POST"])
    Hooklatch(app, routes={"/hooks/*": chain})

    def press(name: str) -> TestResponse:
        url = f"/hooks/{name}"
        return post(app, GITHUB.sign(JSON, secret=TEST_SECRET, url=url, headers={"user-agent": "Button/1"}))

    assert [press("proxy").status_code, press("closed").status_code] == [401, 401]
    assert press("open").get_data() == b"test=True"
    assert post(app, signed(url="/hooks/open")).get_data() == b"test=False"
