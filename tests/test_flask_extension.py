"""hooklatch.flask as an extension: settings from app.config, blueprints, single views, worded refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from flask import Blueprint, Flask, Response, jsonify, redirect, request
from quart import Quart
from werkzeug.test import Client

from hooklatch import ConfigError, Secret
from hooklatch.extension import configured
from hooklatch.flask import Hooklatch, verified, webhook
from hooklatch.providers import GITHUB, STRIPE
from hooklatch.quart import Hooklatch as QuartHooklatch
from hooklatch.stores import MemoryStore, SQLiteStore
from hooklatch.wsgi import WebhookMiddleware

if TYPE_CHECKING:
    from pathlib import Path

    from werkzeug.test import TestResponse

    from hooklatch import Delivery

SECRET = "one secret, long enough"
TEST_SECRET = "another one, for the sender's test button"
PATH = "/hooks/github"
ROUTES = {PATH: GITHUB.chain(SECRET)}


def signed(url: str = PATH, body: bytes = b'{"n": 1}', secret: str = SECRET, **headers: str) -> Delivery:
    lines = {"content-type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return GITHUB.sign(body, secret=secret, url=url, headers=lines)


def post(app: Any, delivery: Delivery) -> TestResponse:
    return Client(app, Response).open(
        delivery.url, method=delivery.method, headers=delivery.headers, data=delivery.body, buffered=True
    )


def unsigned(url: str = PATH) -> Delivery:
    return signed(url)._replace(headers={"content-type": "application/json"})


# Settings from app.config.


def test_settings_come_from_the_environment_through_flask(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FLASK_HOOKLATCH_STORE", f"sqlite:///{tmp_path}/deliveries.db")
    monkeypatch.setenv("FLASK_HOOKLATCH_PROTECT", '["/hooks/*"]')
    monkeypatch.setenv("FLASK_HOOKLATCH_MAX_SPOOL", "1000")
    app = Flask("configured")
    app.config.from_prefixed_env()
    Hooklatch(app, routes=ROUTES)
    door = app.extensions["hooklatch"]
    assert isinstance(door, WebhookMiddleware)
    assert door.spool.quota == 1000
    assert post(app, unsigned("/hooks/forgotten")).status_code == 401
    assert (tmp_path / "deliveries.db").exists()


def test_what_is_said_in_python_wins() -> None:
    app = Flask("configured")
    app.config["HOOKLATCH_MAX_SPOOL"] = 1000
    Hooklatch(app, routes=ROUTES, max_spool=2000)
    assert app.extensions["hooklatch"].spool.quota == 2000


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("STORE", "6379", "HOOKLATCH_STORE=6379 must be the URL of a store"),
        ("PROTECT", "/hooks/*,/other/*", "HOOKLATCH_PROTECT='/hooks/.,/other/.' must be a list of paths"),
        ("PROTECT", "[1]", "must be a list of paths"),
        ("FAIL_OPEN", "1", "HOOKLATCH_FAIL_OPEN=1 must be true or false"),
        ("MAX_SPOOL", "1,000", "HOOKLATCH_MAX_SPOOL='1,000' must be a number of bytes, not str"),
        ("MAX_SPOOL", "true", "HOOKLATCH_MAX_SPOOL=True must be a number of bytes, not bool"),
        ("TRUSTED_PROXIES", "one", "must be a number of proxies"),
        ("DEBUG", "true", "HOOKLATCH_DEBUG is no setting"),
        ("STROE", "memory://", "HOOKLATCH_STROE is no setting; there are HOOKLATCH_STORE"),
    ],
)
@pytest.mark.parametrize("extension", [Hooklatch, QuartHooklatch])
def test_a_value_that_the_environment_has_bent_ends_the_start(
    monkeypatch: pytest.MonkeyPatch, extension: Any, name: str, text: str, complaint: str
) -> None:
    monkeypatch.setenv(f"FLASK_HOOKLATCH_{name}", text)
    app: Any = (Flask if extension is Hooklatch else Quart)("bent")
    app.config.from_prefixed_env("FLASK")
    with pytest.raises(ConfigError, match=complaint):
        extension(app, routes=ROUTES)
    assert "hooklatch" not in app.extensions


@pytest.mark.parametrize("text", ["123456789012345678", "1.5", '["a, secret", "another"]'])
def test_a_secret_that_the_environment_has_bent_ends_the_start(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("FLASK_GITHUB_SECRET", text)
    app = Flask("bent")
    app.config.from_prefixed_env()
    secret = app.config["GITHUB_SECRET"]
    if isinstance(secret, list):
        assert GITHUB.chain(secret)  # a list says what it means: two secrets, newest first
        return
    with pytest.raises(ConfigError, match="secret"):
        GITHUB.chain(secret)


def test_keys_of_others_are_left_alone() -> None:
    assert configured({"DEBUG": True, "SECRET_KEY": "x", "HOOKLATCH_FAIL_OPEN": False}) == {"fail_open": False}


@pytest.mark.parametrize("extension", [Hooklatch, QuartHooklatch])
def test_an_application_of_the_other_kind_is_refused(extension: Any) -> None:
    other: Any = Quart("x") if extension is Hooklatch else Flask("x")
    with pytest.raises(ConfigError, match=r"init_app takes a (Flask|Quart) application"):
        extension(other, routes=ROUTES)


# Blueprints.


def blueprint(latch: Hooklatch, **settings: Any) -> Blueprint:
    hooks = Blueprint("hooks", "hooks")

    @hooks.post("/github")
    @verified(GITHUB)
    def push() -> str:
        return webhook.route

    latch.init_blueprint(hooks, **{"routes": {"/github": GITHUB.chain(SECRET)}, "protect": ["/*"], **settings})
    return hooks


def test_a_blueprint_brings_its_routes_wherever_it_is_registered() -> None:
    app = Flask("shop")
    hooks = blueprint(Hooklatch())
    app.register_blueprint(hooks, url_prefix="/hooks")
    app.register_blueprint(hooks, url_prefix="/v2/hooks", name="second")
    for prefix in ("/hooks", "/v2/hooks"):
        assert post(app, signed(f"{prefix}/github")).get_data() == f"{prefix}/github".encode()
        assert post(app, unsigned(f"{prefix}/github")).status_code == 401
        assert post(app, unsigned(f"{prefix}/forgotten")).status_code == 401
    assert post(app, unsigned("/elsewhere")).status_code == 404


def test_a_blueprint_within_a_blueprint_brings_its_routes_too() -> None:
    outer = Blueprint("outer", "outer")
    outer.register_blueprint(blueprint(Hooklatch()), url_prefix="/hooks")
    app = Flask("shop")
    app.register_blueprint(outer, url_prefix="/api")
    assert post(app, unsigned("/api/hooks/github")).status_code == 401
    assert post(app, signed("/api/hooks/github")).get_data() == b"/api/hooks/github"


def test_a_blueprint_stands_beside_the_application_s_own_routes() -> None:
    latch = Hooklatch(store=MemoryStore())
    app = Flask("shop")
    app.add_url_rule("/own", "own", verified(GITHUB)(lambda: webhook.route), methods=["POST"])
    latch.init_app(app, routes={"/own": GITHUB.chain(SECRET)})
    app.register_blueprint(blueprint(latch), url_prefix="/hooks")
    assert [post(app, unsigned(url)).status_code for url in ("/own", "/hooks/github")] == [401, 401]
    assert [post(app, signed(url)).get_data() for url in ("/own", "/hooks/github")] == [b"/own", b"/hooks/github"]


def test_a_blueprint_without_routes_is_a_mistake_that_shows_when_it_is_registered() -> None:
    app = Flask("shop")
    with pytest.raises(ConfigError, match="routes"):
        app.register_blueprint(blueprint(Hooklatch(), routes={}, protect=[]), url_prefix="/hooks")


# One view.


class Judging:
    """An application that is not wrapped, with one view that judges for itself."""

    def __init__(self, latch: Hooklatch | None = None, secrets: Any = SECRET, **options: Any) -> None:
        self.app = Flask("unwrapped")
        self.ran: list[bytes] = []
        self.fails = False
        latch = latch or Hooklatch()

        @self.app.post(PATH)
        @latch.verified(GITHUB, secrets, **options)
        def push() -> Any:
            self.ran.append(request.get_data())
            if self.fails:
                raise LookupError
            return jsonify(webhook.provider, webhook.test, webhook.path)


def test_a_view_judges_for_itself_where_no_route_does() -> None:
    judging = Judging()
    assert post(judging.app, unsigned()).status_code == 401
    assert post(judging.app, signed()._replace(body=b"altered")).status_code == 401
    assert judging.ran == []
    assert post(judging.app, signed()).json == ["github", False, PATH]
    assert judging.ran == [b'{"n": 1}']


def test_a_view_that_judges_remembers_and_gives_back_like_the_door() -> None:
    judging = Judging()
    judging.fails = True
    assert post(judging.app, signed()).status_code == 500
    judging.fails = False
    assert [post(judging.app, signed()).status_code for _ in range(2)] == [200, 200]
    assert len(judging.ran) == 2
    assert "hooklatch-duplicate" in post(judging.app, signed()).headers


def test_a_view_that_judges_believes_the_door_of_its_route() -> None:
    judging = Judging()
    Hooklatch(judging.app, routes=ROUTES)
    assert post(judging.app, signed()).json == ["github", False, PATH]
    assert len(judging.ran) == 1


def test_a_view_that_judges_refuses_what_the_door_proved_for_another_sender() -> None:
    judging = Judging()
    Hooklatch(judging.app, routes={PATH: STRIPE.chain(SECRET)})
    delivery = STRIPE.sign({"id": "evt_1"}, secret=SECRET, url=PATH)
    assert post(judging.app, delivery).status_code == 401
    assert judging.ran == []


@pytest.mark.parametrize("allowed", [False, True])
def test_a_view_that_judges_takes_test_traffic_only_when_told(allowed: bool) -> None:
    secrets = [SECRET, Secret(TEST_SECRET, test=True)]
    judging = Judging(secrets=secrets, allow_test=allowed, test_agents=["Button/*"], on_test="mark", max_body=1000)
    answer = post(judging.app, signed(secret=TEST_SECRET, user_agent="Button/1"))
    assert answer.status_code == (200 if allowed else 401)
    assert len(judging.ran) == allowed


def test_a_body_that_before_request_has_kept_is_judged_all_the_same() -> None:
    judging = Judging()
    judging.app.before_request(lambda: request.get_data() and None)
    assert post(judging.app, signed()._replace(body=b"altered")).status_code == 401
    assert post(judging.app, signed()).status_code == 200
    assert judging.ran == [b'{"n": 1}']


def test_a_form_that_before_request_has_parsed_cannot_be_judged() -> None:
    judging = Judging()
    judging.app.before_request(lambda: request.form and None)
    form = GITHUB.sign(b"n=1", secret=SECRET, url=PATH, headers={"content-type": "application/x-www-form-urlencoded"})
    assert post(judging.app, form).status_code == 400
    assert judging.ran == []


def test_two_views_of_one_sender_do_not_share_their_memory() -> None:
    latch = Hooklatch(store=MemoryStore())
    app = Flask("two")
    ran: list[str] = []

    @app.post("/one")
    @latch.verified(GITHUB, SECRET)
    def one() -> str:
        ran.append("one")
        return ""

    @app.post("/two")
    @latch.verified(GITHUB, SECRET)
    def two() -> str:
        ran.append("two")
        return ""

    for url in ("/one", "/two", "/one"):
        assert post(app, signed(url)).status_code == 200
    assert ran == ["one", "two"]


def test_an_async_view_can_judge_for_itself() -> None:
    latch = Hooklatch()
    app = Flask("awaited")

    @app.post(PATH)
    @latch.verified(GITHUB, SECRET)
    async def push() -> str:
        return webhook.provider

    assert [post(app, unsigned()).status_code, post(app, signed()).status_code] == [401, 200]


def test_a_secret_that_cannot_be_one_ends_the_start_where_the_view_is_written() -> None:
    with pytest.raises(ConfigError, match="secret"):
        Hooklatch().verified(GITHUB, "")(lambda: "")


def test_the_store_of_the_extension_serves_its_views(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "deliveries.db")
    judging = [Judging(Hooklatch(store=store)) for _ in range(2)]
    assert [post(each.app, signed()).status_code for each in judging] == [200, 200]
    assert [len(each.ran) for each in judging] == [1, 0]
    store.close()


# Refusals that the application words.


def worded(**settings: Any) -> tuple[Flask, list[int]]:
    app = Flask("worded")
    seen: list[int] = []

    def handler(error: Any) -> Any:
        seen.append(error.code)
        return jsonify(sorry=error.code), error.code

    for code in (401, 413):
        app.register_error_handler(code, handler)
    app.after_request(lambda response: response.headers.add("x-after", "yes") or response)
    app.add_url_rule(PATH, "push", verified(GITHUB)(lambda: "pushed"), methods=["POST"])
    Hooklatch().init_app(app, errorhandlers=True, **{"routes": ROUTES, **settings})
    return app, seen


def test_refusals_go_through_the_application_s_error_handlers_when_asked() -> None:
    app, seen = worded()
    answer = post(app, unsigned())
    assert (answer.status_code, answer.json, answer.headers["x-after"]) == (401, {"sorry": 401}, "yes")
    # What the protocol asks for is kept.
    assert answer.headers["www-authenticate"] == 'Webhook-Signature realm="webhook"'
    assert answer.headers["cache-control"] == "no-store"
    assert seen == [401]


def test_a_refusal_without_a_handler_is_the_door_s_own() -> None:
    app, seen = worded(routes={PATH: GITHUB.chain(SECRET, other_agents="reject")})
    answer = post(app, signed(user_agent="curl/8"))
    assert (answer.status_code, answer.json, seen) == (403, {"title": "Forbidden", "status": 403}, [])
    assert answer.headers["x-after"] == "yes"


def test_what_is_accepted_or_acknowledged_does_not_pass_the_error_handlers() -> None:
    app, seen = worded()
    first, second = post(app, signed()), post(app, signed())
    assert (first.get_data(), first.headers.getlist("x-after")) == (b"pushed", ["yes"])
    assert "hooklatch-duplicate" in second.headers
    assert "x-after" not in second.headers
    assert seen == []


def test_the_error_handlers_of_a_path_without_a_route_run_once() -> None:
    app, _ = worded()
    answer = post(app, unsigned("/nowhere"))
    assert (answer.status_code, answer.headers.getlist("x-after")) == (404, ["yes"])


def test_a_handler_may_send_a_refused_sender_elsewhere_if_it_must() -> None:
    app = Flask("elsewhere")
    app.register_error_handler(401, lambda error: redirect("/login"))
    Hooklatch().init_app(app, errorhandlers=True, routes=ROUTES)
    assert post(app, unsigned()).status_code == 302
