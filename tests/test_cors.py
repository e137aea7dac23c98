"""CORS: preflights, header lines on every answer, and origins that are compared exactly."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from hooklatch import CORS, ConfigError, Delivery
from hooklatch.errors import StoreUnavailable
from hooklatch.providers import GITHUB, MECHANIC
from hooklatch.stores import MemoryStore
from hooklatch.testing import Answered, Request
from hooklatch.types import Claim, Standing
from worlds import Endpoint

MakeEndpoint = Callable[..., Endpoint]

SECRET = "the-secret-of-this-route"
OTHER = "another-secret-of-this-route"
HOOK = "/form"
SHOP = "https://shop.example"
CHAIN = GITHUB.chain(SECRET, cors=[SHOP, "http://localhost:3000"])
ALLOW = "access-control-allow-origin"


def post(origin: str | None = SHOP, *, secret: str = SECRET, body: bytes = b"{}", method: str = "POST") -> Delivery:
    headers = {} if origin is None else {"origin": origin}
    return GITHUB.sign(body, secret=secret, url=HOOK, method=method, headers=headers)


def preflight(origin: str | None = SHOP, **headers: str) -> Request:
    lines = {} if origin is None else {"origin": origin}
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    return Request("OPTIONS", HOOK, lines | (headers or asked), b"")


def lines(answer: Answered, name: str) -> list[str]:
    return [value for given, value in answer.headers if given.lower() == name]


def varies(answer: Answered) -> list[str]:
    """Return what the answer says it depends on."""
    return [part.strip().lower() for line in lines(answer, "vary") for part in line.split(",")]


# Preflights


def test_a_preflight_is_answered_unsigned_and_without_the_application(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={HOOK: CHAIN})
    answer = made.post(preflight())
    assert (answer.status, answer.body, made.reason, made.calls) == (204, b"", "preflight", [])
    assert answer.header(ALLOW) == SHOP
    assert answer.header("access-control-allow-methods") == "POST"
    assert answer.header("access-control-allow-headers") == "content-type"
    assert int(answer.header("access-control-max-age") or 0) > 0
    assert varies(answer) == ["origin"]


def test_a_preflight_tells_what_the_policy_says(endpoint: MakeEndpoint) -> None:
    policy = CORS([SHOP], headers=["content-type", "X-Hub-Signature-256"], max_age=5, credentials=True)
    made = endpoint(routes={HOOK: GITHUB.chain(SECRET, cors=policy, methods=["POST", "PUT"])})
    answer = made.post(preflight())
    assert answer.header("access-control-allow-methods") == "POST, PUT"
    assert answer.header("access-control-allow-headers") == "content-type, X-Hub-Signature-256"
    assert answer.header("access-control-max-age") == "5"
    assert answer.header("access-control-allow-credentials") == "true"


def test_a_preflight_of_a_foreign_origin_is_refused(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={HOOK: CHAIN})
    answer = made.post(preflight("https://evil.example"))
    assert (answer.status, made.reason, made.calls) == (403, "origin_not_allowed", [])
    assert [name for name, _ in answer.headers if name.startswith("access-control")] == []


@pytest.mark.parametrize(
    "request_",
    [
        preflight(x_unrelated="1"),
        preflight(None),
        preflight(**{"access-control-request-headers": "content-type"}),
        preflight()._replace(method="POST"),
        preflight()._replace(method="GET"),
        preflight()._replace(method="options"),
    ],
    ids=["no request method", "no origin", "request headers only", "POST", "GET", "lower case"],
)
def test_what_is_no_real_preflight_does_not_pass_as_one(endpoint: MakeEndpoint, request_: Request) -> None:
    made = endpoint(routes={HOOK: CHAIN})
    answer = made.post(request_)
    assert (answer.status, made.calls) == (401 if request_.method == "POST" else 405, [])
    assert lines(answer, "access-control-allow-methods") == []


def test_without_a_policy_no_preflight_is_answered(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={HOOK: GITHUB.chain(SECRET)})
    answer = made.post(preflight())
    assert (answer.status, made.reason, made.calls) == (405, "method_not_allowed", [])
    assert lines(answer, ALLOW) == []


def test_a_preflight_takes_no_claim_and_asks_for_no_secret(endpoint: MakeEndpoint) -> None:
    def find(_head: object) -> object:
        raise AssertionError

    made = endpoint(routes={HOOK: GITHUB.chain(find, cors=[SHOP])}, store=Down())
    assert made.post(preflight()).status == 204


# Every answer


class Down:
    """A store that is down."""

    def claim(self, _claim: Claim, /) -> Standing:
        raise StoreUnavailable

    def renew(self, _claim: Claim, /) -> bool:
        raise StoreUnavailable

    def commit(self, _claim: Claim, /) -> bool:
        raise StoreUnavailable

    def release(self, _claim: Claim, /) -> None:
        raise StoreUnavailable


CUT = Request("POST", HOOK, {**post().headers, "content-length": "99"}, b"{}")
NO_NUMBER = Request("POST", HOOK, {**post().headers, "content-length": "+2"}, b"{}")


@pytest.mark.parametrize(
    ("request_", "settings", "status"),
    [
        (post(), {}, 200),
        (post(), {"statuses": [500]}, 500),
        (post(secret=OTHER), {}, 401),
        (Request("POST", HOOK, {"origin": SHOP}, b"{}"), {}, 401),
        (post(method="PUT"), {}, 405),
        (post(method="HEAD"), {}, 405),
        (post(body=b" " * 101), {}, 413),
        (CUT, {}, 400),
        (NO_NUMBER, {}, 400),
        (post(), {"store": Down()}, 503),
        (preflight(), {}, 204),
    ],
    ids=[
        "accepted",
        "application's error",
        "forged",
        "unsigned",
        "method",
        "head",
        "too large",
        "cut short",
        "bad length",
        "store down",
        "preflight",
    ],
)
def test_every_answer_tells_the_page_that_it_may_be_read(
    endpoint: MakeEndpoint, request_: Request, settings: dict[str, Any], status: int
) -> None:
    made = endpoint(routes={HOOK: GITHUB.chain(SECRET, cors=[SHOP], max_body=100)}, **copy.deepcopy(settings))
    answer = made.post(request_)
    assert (answer.status, answer.header(ALLOW), varies(answer)) == (status, SHOP, ["origin"])


def test_duplicates_and_conflicts_tell_the_page_that_they_may_be_read(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={HOOK: CHAIN})
    made.post(post())
    duplicate = made.post(post())
    altered = made.post(post()._replace(url=f"{HOOK}?x=1"))
    assert [(a.status, a.header(ALLOW), varies(a)) for a in (duplicate, altered)] == [
        (200, SHOP, ["origin"]),
        (409, SHOP, ["origin"]),
    ]


def test_each_page_is_told_its_own_origin(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={HOOK: GITHUB.chain(SECRET, cors=[SHOP, "http://localhost:3000"], on_duplicate="run")})
    assert [made.post(post(origin)).header(ALLOW) for origin in (SHOP, "http://localhost:3000")] == [
        SHOP,
        "http://localhost:3000",
    ]


def test_an_answer_to_nobody_in_particular_still_varies(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={HOOK: CHAIN})
    for request in (post(None), post("https://evil.example"), post(None, secret=OTHER)):
        answer = made.post(request)
        assert (lines(answer, ALLOW), varies(answer)) == ([], ["origin"])


def test_credentials_are_allowed_where_the_policy_says_so_and_only_there(endpoint: MakeEndpoint) -> None:
    for credentials, expected in ((True, ["true"]), (False, [])):
        policy = CORS([SHOP], credentials=credentials)
        made = endpoint(routes={HOOK: GITHUB.chain(SECRET, cors=policy)})
        for request in (post(), post(secret=OTHER)):
            assert lines(made.post(request), "access-control-allow-credentials") == expected
        foreign = made.post(post("https://evil.example"))
        assert lines(foreign, "access-control-allow-credentials") == []


def answering_with(made: Endpoint, *headers: tuple[str, str]) -> None:
    """Let the application itself set *headers*."""

    def wsgi(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", list(headers))
        return [b""]

    async def asgi(_scope: Any, _receive: Any, send: Any) -> None:
        pairs = [(name.lower().encode(), value.encode()) for name, value in headers]
        await send({"type": "http.response.start", "status": 200, "headers": pairs})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    made.app.app = wsgi if made.world == "wsgi" else asgi


def test_what_the_application_sets_itself_is_not_set_twice(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={HOOK: GITHUB.chain(SECRET, cors=CORS([SHOP], credentials=True))})
    answering_with(
        made,
        ("Access-Control-Allow-Origin", SHOP),
        ("Access-Control-Allow-Credentials", "true"),
        ("Vary", "Origin"),
    )
    answer = made.post(post())
    assert lines(answer, ALLOW) == [SHOP]
    assert lines(answer, "access-control-allow-credentials") == ["true"]
    assert varies(answer) == ["origin"]


def test_what_else_the_answer_of_the_application_varies_by_stays(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={HOOK: CHAIN})
    answering_with(made, ("Vary", "Accept-Encoding, Cookie"), ("X-Own", "1"))
    answer = made.post(post())
    assert sorted(varies(answer)) == ["accept-encoding", "cookie", "origin"]
    assert (lines(answer, ALLOW), lines(answer, "x-own")) == ([SHOP], ["1"])


def test_an_application_off_the_route_is_left_alone(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={HOOK: CHAIN})
    answer = made.post(post()._replace(url="/other"))
    assert (answer.status, lines(answer, ALLOW), varies(answer)) == (200, [], [])


# Origins


@pytest.mark.parametrize("origin", [SHOP, "http://localhost:3000"])
def test_a_listed_origin_passes(endpoint: MakeEndpoint, origin: str) -> None:
    made = endpoint(routes={HOOK: CHAIN})
    assert (made.post(post(origin)).status, len(made.calls)) == (200, 1)


def test_a_request_without_an_origin_passes(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={HOOK: CHAIN})
    assert (made.post(post(None)).status, len(made.calls)) == (200, 1)


@pytest.mark.parametrize(
    "origin",
    [
        "https://SHOP.example",
        "HTTPS://shop.example",
        "https://shop.example:443",
        "https://shop.example:8443",
        "https://shop.example/",
        "https://shop.example/page",
        "http://shop.example",
        "//shop.example",
        "shop.example",
        "null",
        "",
        "*",
        "https://shop.example.",
        "https://shop.example.evil.example",
        "https://evilshop.example",
        "https://www.shop.example",
        "https://evil.example#https://shop.example",
        "https://evil.example?https://shop.example",
        "https://shop.example@evil.example",
        "https://shopxexample",
        "https://shop.example https://evil.example",
        "https://shop.example, https://evil.example",
        "https://shop.example\x0b",
        "http://localhost",
        "http://localhost:3001",
        "http://localhost:03000",
    ],
)
def test_an_origin_that_only_resembles_a_listed_one_is_refused(endpoint: MakeEndpoint, origin: str) -> None:
    made = endpoint(routes={HOOK: CHAIN})
    for request in (post(origin), preflight(origin)):
        answer = made.post(request)
        assert (answer.status, made.reason, lines(answer, ALLOW)) == (403, "origin_not_allowed", [])
    assert made.calls == []


def test_two_origins_are_none(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={HOOK: CHAIN})
    twice = Request("POST", HOOK, [*post().headers.items(), ("origin", SHOP)], b"{}")
    answer = made.post(twice)
    assert (answer.status, made.reason, lines(answer, ALLOW)) == (403, "origin_not_allowed", [])


def test_a_foreign_origin_takes_no_claim(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={HOOK: CHAIN})
    assert [made.post(post(origin)).status for origin in ("https://evil.example", SHOP)] == [403, 200]
    assert len(made.calls) == 1


def test_an_origin_is_no_authentication(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={HOOK: CHAIN})
    assert (made.post(post(secret=OTHER)).status, made.reason) == (401, "signature_mismatch")


def test_the_null_origin_passes_where_it_is_listed(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={HOOK: GITHUB.chain(SECRET, cors=["null"])})
    answer = made.post(post("null"))
    assert (answer.status, answer.header(ALLOW)) == (200, "null")


def test_any_origin_passes_under_a_star_but_null(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={HOOK: GITHUB.chain(SECRET, cors=["*"], on_duplicate="run")})
    answers = [made.post(post(origin)) for origin in (SHOP, "https://evil.example", None)]
    assert [(answer.status, answer.header(ALLOW)) for answer in answers] == [(200, "*")] * 3
    assert (made.post(preflight("https://any.example")).status, made.post(post("null")).status) == (204, 403)


def test_a_signed_form_of_a_shop_is_accepted_from_its_page_alone(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={HOOK: MECHANIC.chain(SECRET, cors=[SHOP])}, store=MemoryStore())
    form = MECHANIC.sign({"customer_id": "7"}, secret=SECRET, url=HOOK, headers={"origin": SHOP})
    foreign = form._replace(headers={**form.headers, "origin": "https://evil.example"})
    assert [made.post(request).status for request in (foreign, form)] == [403, 200]
    assert made.last.fields == {"customer_id": "7"}


# Start-up


@pytest.mark.parametrize(
    "cors",
    [
        SHOP,
        [],
        "*",
        ["https://shop.example/"],
        ["https://shop.example/page"],
        ["https://SHOP.example"],
        ["HTTPS://shop.example"],
        ["https://shop.example:443"],
        ["http://shop.example:80"],
        ["shop.example"],
        ["//shop.example"],
        ["https://*.shop.example"],
        ["https://shop.example*"],
        ["https://"],
        ["https://shop.example:"],
        ["https://shop.example:https"],
        ["https://user@shop.example"],
        [" https://shop.example"],
        ["https://shop.example\n"],
        ["https://shöp.example"],
        [""],
        [None],
        [7],
        7,
        ["*", SHOP],
    ],
    ids=repr,
)
def test_what_no_browser_sends_as_an_origin_is_a_config_error(cors: Any) -> None:
    with pytest.raises(ConfigError, match="cors"):
        GITHUB.chain(SECRET, cors=cors)


@pytest.mark.parametrize(
    "settings",
    [
        {"origins": ["*"], "credentials": True},
        {"origins": ["*", SHOP]},
        {"origins": SHOP},
        {"origins": [SHOP], "headers": "content-type"},
        {"origins": [SHOP], "headers": ["content type"]},
        {"origins": [SHOP], "headers": ["x\r\ny"]},
        {"origins": [SHOP], "headers": [7]},
        {"origins": [SHOP], "max_age": -1},
        {"origins": [SHOP], "max_age": 1.5},
        {"origins": [SHOP], "max_age": "600"},
    ],
    ids=str,
)
def test_a_policy_no_browser_obeys_is_a_config_error(settings: Any) -> None:
    with pytest.raises(ConfigError, match="cors"):
        CORS(**settings)


@pytest.mark.parametrize(
    "origin",
    [SHOP, "http://localhost:3000", "http://127.0.0.1:8000", "http://[::1]:8000", "chrome-extension://abcdef", "null"],
)
def test_what_browsers_send_as_an_origin_can_be_listed(origin: str) -> None:
    assert CORS([origin]).allows(origin)
