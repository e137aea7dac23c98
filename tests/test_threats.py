"""What strangers try, row by row of the threat review; "tested in" names where a row's other sentences are stated.

A5   verified as one route, run as another: here, and test_routes.py (odd paths, websockets, the second lock),
     test_capture.py and test_mutants_killed.py (headers that rewrite method or path), test_fastapi.py and
     test_starlette.py (locks that name their sender)
A10  contents that can be cut elsewhere: here, and test_template.py (separators, public_url), test_body_fields.py
     (Speckle's two formats, Mechanic's recipes), test_routes.py (one secret under two recipes)
A11  a limit that cuts the sender off: test_ratelimit.py
B2   cost before proof: here, and test_public_keys.py (eight signatures, sixteen checks), test_secrets.py (a source is
     not asked for what its head refuses)
B3   RIPEMD-128 in pure Python: here, and test_slow_senders.py, test_direct.py
B10  bodies on disk: test_large_bodies.py
C1   here, and test_secrets_stay_secret.py · C2 test_secrets.py · C3 here · C4 test_cors.py, and here for 408, 409,
     429 · C5 here, and test_routes.py · C7 test_duplicates.py (the altered query) · C8 test_secrets_stay_secret.py and
     here · C10, C12 here · C13, C14 test_outage.py · C17 test_direct.py · C18 test_slow_senders.py,
     test_mutants_killed.py (undeclared length) · C20 here, and test_body_fields.py, test_duplicates.py

Not here, since there is nothing yet that could do it: fetched key sets and ``explain`` (B2), shadow mode (C6), alerts
(C9), Django (C11), hand-off (C15), plug-ins (C16), ``events=`` (C19).
"""

from __future__ import annotations

import ast
import base64
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.middleware.proxy_fix import ProxyFix

import hooklatch
from hooklatch import ConfigError, NotProven, get_webhook
from hooklatch.errors import IdMalformed
from hooklatch.keys import HMACKey
from hooklatch.providers import GITHUB, MECHANIC, MOMENTO, PATCHWORKS, STANDARD_WEBHOOKS, STRIPE
from hooklatch.stores import MemoryStore
from hooklatch.testing import Request, call_wsgi
from hooklatch.types import Delivery, Head
from hooklatch.wsgi import WebhookMiddleware
from worlds import NOW, Endpoint, make_endpoint, without_extension

MakeEndpoint = Callable[..., Endpoint]

SECRET = "the-secret-of-this-route"
OTHER = "another-secret-of-this-route"
WHSEC = "whsec_" + base64.b64encode(SECRET.encode()).decode()
HOOK = "/hooks/github"
SHOP = "https://shop.example"


def push(body: bytes = b"{}", *, secret: str = SECRET, url: str = HOOK, headers: Any = None) -> Delivery:
    return GITHUB.sign(body, secret=secret, url=url, headers=headers)


def to(path: str, world: str) -> dict[str, Any]:
    return {"PATH_INFO": path} if world == "wsgi" else {"path": path, "raw_path": None}


# The order of checks, as SECURITY.md has it


class Watchful:
    """A verifier of one's own that looks at the head."""

    def open(self, head: Head, facts: Any) -> None:
        if head.headers.all("x-mine"):
            raise IdMalformed


SENDER = STANDARD_WEBHOOKS.using(agents=("Sender/*",))
SPOILERS: list[tuple[str, dict[str, str]]] = [
    ("origin_not_allowed", {"origin": "https://evil.example"}),
    ("method_not_allowed", {":method": "PUT"}),
    ("request_ambiguous", {"x-original-url": "/"}),
    ("signature_malformed", {"webhook-signature": "v1,!"}),
    ("id_missing", {"webhook-id": ""}),
    ("timestamp_malformed", {"webhook-timestamp": "now"}),
    ("body_too_large", {"content-length": "1000000"}),
    ("timestamp_expired", {"webhook-timestamp": str(int(NOW) - 3600)}),
    ("id_malformed", {"x-mine": "1"}),
    ("body_incomplete", {"content-length": "99"}),
    ("signature_mismatch", {"webhook-id": "evt_2"}),
    ("user_agent_not_allowed", {"user-agent": "curl/8"}),
    ("store_unavailable", {}),
]
"""What each check refuses, in the order of the checks."""


@pytest.mark.parametrize("place", range(len(SPOILERS)), ids=[reason for reason, _ in SPOILERS])
def test_of_several_faults_the_first_in_the_order_of_checks_is_told(endpoint: MakeEndpoint, place: int) -> None:
    chain = SENDER.chain(WHSEC, cors=[SHOP], other_agents="reject", max_body=100, extra=[Watchful()])
    made = endpoint(routes={HOOK: chain}, store=MemoryStore(limit=1))
    full = SENDER.sign(b"{}", secret=WHSEC, url=HOOK, id="evt_0", at=NOW, headers={"user-agent": "Sender/1"})
    assert made.post(full).status == 200
    genuine = SENDER.sign(b"{}", secret=WHSEC, url=HOOK, id="evt_1", at=NOW, headers={"user-agent": "Sender/1"})
    headers = dict(genuine.headers)
    for _, spoiled in reversed(SPOILERS[place:]):
        headers |= spoiled
    method = headers.pop(":method", "POST")
    made.post(Request(method, HOOK, headers, b"{}"))
    assert (made.reason, len(made.calls)) == (SPOILERS[place][0], 1)


# Row A5: verified as route A, executed by handler B


def test_a_delivery_signed_for_one_route_reaches_no_handler_below_another(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={"/hooks/stripe": STRIPE.chain(SECRET), "/hooks/*": MOMENTO.chain(OTHER)})
    genuine = STRIPE.sign(b"{}", secret=SECRET, url="/hooks/stripe", at=NOW)
    answer = made.post(genuine, **to("/hooks/momento/../stripe", made.world))
    assert (answer.status, made.reason, made.calls) == (400, "request_ambiguous", [])


def test_a_layer_inside_that_rewrites_the_request_opens_no_protected_handler() -> None:
    refused: list[str] = []

    def handler(environ: Any, start_response: Any) -> list[bytes]:
        try:
            get_webhook(environ, STRIPE)
        except NotProven as bad:
            refused.append(str(bad))
        start_response("200 OK", [])
        return []

    def rewriting(environ: Any, start_response: Any) -> list[bytes]:
        environ["REQUEST_METHOD"] = environ.get("HTTP_X_HTTP_METHOD_OVERRIDE", environ["REQUEST_METHOD"])
        environ["PATH_INFO"] = environ.get("HTTP_X_ORIGINAL_URL", environ["PATH_INFO"])
        return handler(environ, start_response)

    routes = {"/hooks/stripe": STRIPE.chain(SECRET), HOOK: GITHUB.chain(SECRET)}
    app = WebhookMiddleware(rewriting, routes=routes)
    lines = {"x-http-method-override": "POST", "x-original-url": "/hooks/stripe"}
    assert call_wsgi(app, Request("GET", "/open", lines, b"")).status == 200
    assert call_wsgi(app, push(url="/open", headers=lines)).status == 200
    assert call_wsgi(app, push(headers=lines)).status == 400
    assert ["no verdict" in text for text in refused] == [True, True]
    # A layer that believes the proxy about the mount moves a proven request to another path.
    moved = WebhookMiddleware(ProxyFix(handler, x_prefix=1), routes=routes)
    assert call_wsgi(moved, push(headers={"x-forwarded-prefix": "/admin"})).status == 200
    assert "not for this request" in refused[-1]


# Row A10: contents that can be cut in another place


def test_a_sender_with_two_signature_headers_is_judged_by_the_configured_one(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={HOOK: GITHUB.chain(SECRET)})
    older = "sha1=" + HMACKey("hmac-sha1", SECRET.encode()).sign(b"{}").hex()
    only = Request("POST", HOOK, {"x-hub-signature": older}, b"{}")
    assert (made.post(only).status, made.reason) == (401, "signature_missing")
    assert made.post(push(headers={"x-hub-signature": "sha1=" + "0" * 40})).status == 200


def test_the_value_of_one_field_proves_no_other_field(endpoint: MakeEndpoint) -> None:
    one = MECHANIC.over("customer_id", signature="proof")
    other = MECHANIC.over("email", signature="proof")
    made = endpoint(routes={"/one": one.chain(SECRET), "/other": other.chain(OTHER)})
    genuine = one.sign({"customer_id": "7"}, secret=SECRET, url="/one")
    assert made.post(genuine).status == 200
    assert made.post(genuine._replace(url="/other")).status == 401
    with pytest.raises(ConfigError, match="share a secret"):
        endpoint(routes={"/one": one.chain(SECRET), "/other": other.chain(SECRET)})


# Row B2, B3: cost before proof


@pytest.mark.parametrize(("size", "status"), [(8192, 200), (8193, 401)])
def test_a_list_of_signatures_has_at_most_8_kib(endpoint: MakeEndpoint, size: int, status: int) -> None:
    made = endpoint(routes={HOOK: STANDARD_WEBHOOKS.chain(WHSEC)})
    genuine = STANDARD_WEBHOOKS.sign(b"{}", secret=WHSEC, url=HOOK, id="evt_1", at=NOW)
    # Signatures of another version count for nothing, and are not counted.
    listed = (genuine.headers["webhook-signature"] + " v2,").ljust(size, "A")
    over = {} if status == 200 else unreadable(made.world)
    delivery = genuine._replace(headers={**genuine.headers, "webhook-signature": listed})
    assert made.post(delivery, **over).status == status
    assert len(made.calls) == (status == 200)


class Unreadable:
    """A body of which nobody may ask a byte."""

    def read(self, size: int = -1, /) -> bytes:
        pytest.fail("the body was read")


def unreadable(world: str) -> dict[str, Any]:
    return {"wsgi__input": Unreadable()} if world == "wsgi" else {}


@pytest.mark.parametrize("digest", ["hmac-ripemd128"])
def test_a_slow_digest_has_a_cap_that_no_option_lifts_and_says_so_at_the_start(digest: str) -> None:
    slow = PATCHWORKS.using(algorithm=digest)
    with without_extension():
        assert slow.chain(SECRET).max_body == 1 << 16
        assert any("pure Python" in note for note in slow.chain(SECRET).notes)
        with pytest.raises(ConfigError, match="RIPEMD-128"):
            slow.chain(SECRET, max_body=(1 << 16) + 1)


# Row C1: debug

REASON = b"signature_mismatch"


def test_nothing_but_the_setting_makes_refusals_tell_their_reason(
    endpoint: MakeEndpoint, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("DEBUG", "HOOKLATCH_DEBUG", "FLASK_DEBUG", "STARLETTE_DEBUG", "PYTHONDEVMODE"):
        monkeypatch.setenv(name, "1")
    made = endpoint(routes={HOOK: GITHUB.chain(SECRET)})
    assert REASON not in made.post(push(secret=OTHER)).body
    with caplog.at_level(logging.WARNING, "hooklatch"):
        made = endpoint(routes={HOOK: GITHUB.chain(SECRET)}, debug=True)
    assert "not for production" in caplog.text
    assert REASON in made.post(push(secret=OTHER)).body


def test_with_debug_a_refusal_tells_its_reason_and_nothing_else(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={HOOK: GITHUB.chain([SECRET, OTHER])}, debug=True)
    refusals = {made.post(push(body, secret="a-third-secret-of-nobody")).body for body in (b"{}", b'{"n":1}')}
    assert refusals == {b'{"title":"Unauthorized","status":401,"reason":"signature_mismatch"}'}


# Row C3: the clock


def test_no_header_sets_the_clock(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={HOOK: STRIPE.chain(SECRET)})
    old = STRIPE.sign(b"{}", secret=SECRET, url=HOOK, at=NOW - 301)
    then = {"date": "Tue, 14 Nov 2023 22:08:19 GMT", "x-now": str(NOW - 301), "x-hooklatch-now": str(NOW - 301)}
    assert made.post(old._replace(headers={**old.headers, **then})).status == 401
    assert made.reason == "timestamp_expired"


def test_nothing_that_judges_reads_the_environment() -> None:
    source = Path(hooklatch.__file__).parent
    readers = set()
    for path in source.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv", "environb"}:
                readers |= {path.relative_to(source).parts[0]} if ast.unparse(node.value) == "os" else set()
            elif isinstance(node, ast.ImportFrom) and node.module == "os":
                readers.add(path.relative_to(source).parts[0])
    # A file of settings names the variables that hold secrets, and they are read when the application starts.
    assert readers == {"cli", "references.py"}


# Row C4: CORS on the answers that are rare


class Held:
    """A body, and the connection it hangs on, whose sender stopped half way."""

    def read(self, _size: int = -1, /) -> bytes:
        raise TimeoutError

    def gettimeout(self) -> None:
        """No time was set."""

    def settimeout(self, _seconds: float | None) -> None:
        """Take any time."""


def test_a_page_may_read_a_408() -> None:
    made = make_endpoint("wsgi", routes={HOOK: GITHUB.chain(SECRET, cors=[SHOP])})
    answer = made.post(push(headers={"origin": SHOP}), wsgi__input=Held(), gunicorn__socket=Held())
    assert (answer.status, made.reason) == (408, "body_timeout")
    assert (answer.header("access-control-allow-origin"), answer.header("vary")) == (SHOP, "Origin")


# Row C5: methods


@pytest.mark.parametrize(
    "method", ["post", "Post", "FOO", "HEAD", "GET", "CONNECT", "TRACE", "QUERY", "POST ", "", "*"]
)
def test_any_other_method_is_405_and_its_body_is_not_read(endpoint: MakeEndpoint, method: str) -> None:
    made = endpoint(routes={HOOK: GITHUB.chain(SECRET)})
    answer = made.post(push()._replace(method=method), **unreadable(made.world))
    assert (answer.status, answer.header("allow"), made.calls) == (405, "POST", [])


# Row C8: what reaches logs and labels


def test_an_event_names_the_pattern_of_the_route_and_never_what_was_asked_for(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={"/hooks/*": GITHUB.chain(SECRET)})
    for path in ("/hooks/a\x1b[31m", "/hooks/b", "/hooks/c"):
        made.post(push(secret=OTHER), **to(path, made.world))
    assert {event.route for event in made.events} == {"", "/hooks/*"}
    assert all("\x1b" not in "".join(map(str, event)) for event in made.events)


# Row C10: refusals look alike


def test_the_bodies_of_all_refusals_of_one_status_are_equal(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={HOOK: STANDARD_WEBHOOKS.chain(WHSEC)}, protect=["/hooks/*"])
    genuine = STANDARD_WEBHOOKS.sign(b"{}", secret=WHSEC, url=HOOK, id="evt_1", at=NOW)
    changes: list[dict[str, str]] = [
        {"webhook-signature": ""},
        {"webhook-signature": "v1,!"},
        {"webhook-signature": "v2,AAAA"},
        {"webhook-id": "evt_2"},
        {"webhook-id": ""},
        {"webhook-timestamp": "x"},
        {"webhook-timestamp": "1"},
        {"webhook-timestamp": str(int(NOW) + 10_000)},
    ]
    answers = [made.post(genuine._replace(headers={**genuine.headers, **change})) for change in changes]
    answers.append(made.post(genuine._replace(url="/hooks/nobody")))
    assert len({event.reason for event in made.events}) >= 7
    assert {answer.status for answer in answers} == {401}
    assert len({(answer.body, answer.header("content-type"), answer.header("set-cookie")) for answer in answers}) == 1


# Row C12: whoever listens may fail


class Failing(logging.Handler):
    """A handler of the log that raises, as one that a full disk or a closed socket stops."""

    def emit(self, record: logging.LogRecord) -> None:
        msg = "the log is broken"
        raise OSError(msg)


@pytest.fixture
def broken_log() -> Any:
    logger, handler = logging.getLogger("hooklatch"), Failing()
    yield lambda: logger.addHandler(handler)
    logger.removeHandler(handler)


def test_a_log_that_fails_changes_no_answer(endpoint: MakeEndpoint, broken_log: Callable[[], None]) -> None:
    made = endpoint(routes={HOOK: GITHUB.chain(SECRET)}, statuses=[500, 200, 200])
    broken_log()
    requests = (push(secret=OTHER), push(), push(), push(), push()._replace(method="PUT"))
    assert [made.post(request).status for request in requests] == [401, 500, 200, 200, 405]
    assert len(made.calls) == 2
    assert [event.reason for event in made.events] == ["signature_mismatch", "", "", "duplicate", "method_not_allowed"]


def test_a_log_that_fails_with_the_store_changes_no_answer(
    endpoint: MakeEndpoint, broken_log: Callable[[], None]
) -> None:
    class Forgetful(MemoryStore):
        def commit(self, claim: Any, /) -> bool:
            super().commit(claim)
            return False

    made = endpoint(routes={HOOK: GITHUB.chain(SECRET)}, store=Forgetful())
    broken_log()
    assert [made.post(push()).status for _ in range(2)] == [200, 200]
    assert made.reason == "duplicate"


def test_an_observer_and_a_log_that_fail_together_change_no_answer(
    endpoint: MakeEndpoint, broken_log: Callable[[], None]
) -> None:
    def observer(_event: object) -> None:
        raise RuntimeError

    made = endpoint(routes={HOOK: GITHUB.chain(SECRET)}, observer=observer)
    broken_log()
    assert [made.post(push(secret=secret)).status for secret in (OTHER, SECRET, SECRET)] == [401, 200, 200]
    assert len(made.calls) == 1


# Row C20: Mechanic's window


def test_a_timed_proof_is_remembered_for_as_long_as_it_is_good() -> None:
    timed = MECHANIC.over("customer_id", signature="proof", every=3600, neighbours=5)
    assert timed.chain(SECRET).duplicate_ttl >= 11 * 3600
    with pytest.raises(ConfigError, match="duplicate_ttl"):
        timed.chain(SECRET, duplicate_ttl=11 * 3600 - 1)
    with pytest.raises(ConfigError, match="neighbours"):
        MECHANIC.over("customer_id", signature="proof", every=60, neighbours=6)
