"""The signed content: compiled once, covering what it names, and never to be cut in another place."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooklatch import Answer, ConfigError, FormField, Header, JSONField, Provider, Query
from hooklatch.template import Template, intervals
from hooklatch.testing import Request
from worlds import NOW, Endpoint

MakeEndpoint = Callable[..., Endpoint]

SECRET = "correct-horse-battery-staple"
STAMP = "1700000000"
URL = "https://api.example/hooks/a"


def tag(content: bytes) -> str:
    return hmac.new(SECRET.encode(), content, "sha256").hexdigest()


def record(signed: str, **facts: Any) -> Provider:
    """Return a sender nobody has described, with whatever *signed* names where it is expected."""
    if "{timestamp}" in signed:
        facts = {"timestamp": Header("x-timestamp"), **facts}
    if "{id}" in signed:
        facts = {"id": Header("x-id"), **facts}
    return Provider(**{"name": "acme", "signature": Header("x-signature"), "signed": signed, **facts})


def post(body: bytes, content: bytes, *, url: str = "/hooks/a", method: str = "POST", **headers: str) -> Request:
    """Return a request that carries the signature of *content*."""
    lines = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(method, url, {"x-signature": tag(content), **lines}, body)


def altered(request: Request, **headers: str | None) -> Request:
    assert isinstance(request.headers, dict)
    changed = {**request.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return request._replace(headers={name: value for name, value in changed.items() if value is not None})


def routed(endpoint: MakeEndpoint, sender: Provider, **options: Any) -> Endpoint:
    return endpoint(routes={"/hooks/*": sender.chain(SECRET, **options)})


# Compiling.


def test_a_template_is_cut_around_the_body() -> None:
    template = Template("v0:{timestamp}:{body}:{header.X-Topic}!", adjacent=True)
    assert template.before == (b"v0:", "timestamp", b":")
    assert template.after == (b":", "header.x-topic", b"!")
    assert template.names == {"timestamp", "body", "header.x-topic"}
    assert (template.body, template.covers_body, template.headers) == ("raw", True, ("x-topic",))


def test_a_template_without_the_body_covers_fields() -> None:
    template = Template("{field.shop}:{field.customer.id}")
    assert (template.body, template.covers_body) == ("", False)
    assert template.fields == ("shop", "customer.id")
    assert template.content({"field.shop": "ë", "field.customer.id": "1"}, b"ignored") == "ë:1".encode()


def test_header_text_enters_as_its_bytes_and_fields_as_utf8() -> None:
    assert Template("{header.a}").content({"header.a": "\xeb"}, b"") == b"\xeb"
    assert Template("{field.a}").content({"field.a": "\xeb"}, b"") == b"\xc3\xab"
    assert Template("é{body}").content({}, b"\xff\0") == b"\xc3\xa9\xff\0"


ACME_COVERAGE = {
    "{body}": "body",
    "{timestamp}.{body}": "body",
    "{body:sha256}": "body",
    "{field.order}": "fields",
    "{timestamp}.{field.order}": "fields",
    "{timestamp}": "caller",
    "{method}:{header.x-topic}": "caller",
}


@pytest.mark.parametrize(("signed", "coverage"), ACME_COVERAGE.items())
def test_the_coverage_is_computed(signed: str, coverage: str) -> None:
    assert record(signed).coverage == coverage


UNKNOWN = ["{Body}", "{BODY}", "{ body}", "{body }", "{}", "{0}", "{payload}", "{body:md5}", "{body!r}", "{time}",
           "{field}", "{field.}", "{header}", "{header.}", "{Header.x}", "{query.x}", "{.x}"]  # fmt: skip


@pytest.mark.parametrize("name", UNKNOWN)
def test_an_unknown_name_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=rf"{re.escape(name)} is unknown; known are"):
        Template("{timestamp}." + name)
    with pytest.raises(ConfigError, match="signed="):
        record("{timestamp}." + name)


@pytest.mark.parametrize("signed", ["{", "}", "{body", "body}", "{{body}}", "{timestamp}.{body}}", "{{}{body}", "}{"])
def test_a_stray_brace_is_refused(signed: str) -> None:
    with pytest.raises(ConfigError, match="signed="):
        Template(signed)


@pytest.mark.parametrize("signed", ["{body}{body}", "{body}.{body}", "{body}.{body:sha256}", "{body:sha256}{body}"])
@pytest.mark.parametrize("adjacent", [False, True])
def test_the_body_stands_once(signed: str, *, adjacent: bool) -> None:
    with pytest.raises(ConfigError, match="only once"):
        Template(signed, adjacent=adjacent)


@pytest.mark.parametrize("signed", ["", "body", "timestamp.body", "a fixed text"])
def test_a_template_that_signs_nothing_is_refused(signed: str) -> None:
    with pytest.raises(ConfigError, match="nothing of the request is signed"):
        Template(signed)
    with pytest.raises(ConfigError, match="nothing of the request is signed"):
        record(signed)


@pytest.mark.parametrize("name", ["x y", "x_y", "x:y", "-x", "é", "x."])
def test_a_header_that_no_request_can_carry_is_refused_at_the_start(name: str) -> None:
    with pytest.raises(ConfigError, match="header"):
        record(f"{{header.{name}}}:{{body}}").chain(SECRET)


def test_fields_of_a_body_that_is_signed_whole_are_refused() -> None:
    with pytest.raises(ConfigError, match="leave the fields out"):
        record("{field.id}:{body:sha256}")


# Parts that could trade characters.

AMBIGUOUS = [
    "{id}{body}",
    "{body}{id}",
    "{id}{header.x-topic}",
    "{header.x-topic}{body}",
    "{header.a}{header.b}",
    "{field.a}{field.b}",
    "{path}{query}",
    "{path}{body}",
    "{query}{body}",
    "{url}{body}",
    "{method}{url}{body}",
    "{method}{url}{body}{timestamp}",
    "{body}.{id}",
    "{body}|{header.x-topic}",
    "{timestamp}.{body}.{id}",
    "{body}\n{path}",
]
CLEAR = [
    "{body}",
    "{timestamp}{body}",
    "{body}{timestamp}",
    "{timestamp}.{body}",
    "{body}.{timestamp}",
    "{id}.{timestamp}.{body}",
    "{id}.{body}.{timestamp}",
    "{id}{timestamp}{body}",
    "{id}{body:sha256}",
    "{body:sha256}{id}",
    "{body:sha256}.{id}",
    "{method}{url}",
    "{method}{body}",
    "{path}?{query}",
    "{path}\n{body}",
    "{url}\n{body}",
    "{header.a}:{header.b}:{body}",
    "{field.a}:{field.b}",
    "{field.a}{timestamp}",
    "v1:{body}:end",
    "{id}.",
]


@pytest.mark.parametrize("signed", AMBIGUOUS)
def test_parts_that_could_trade_characters_are_refused(signed: str) -> None:
    with pytest.raises(ConfigError, match="adjacent=True if this is the sender's own format"):
        Template(signed)
    with pytest.raises(ConfigError, match="adjacent=True"):
        record(signed)


@pytest.mark.parametrize("signed", AMBIGUOUS)
def test_a_senders_own_format_may_join_them(signed: str) -> None:
    assert Template(signed, adjacent=True).barred == {}
    assert record(signed, adjacent=True).adjacent is True


@pytest.mark.parametrize("signed", CLEAR)
def test_parts_that_cannot_trade_characters_are_accepted(signed: str) -> None:
    assert record(signed).template.text == signed


@pytest.mark.parametrize(
    ("signed", "barred"),
    [
        ("{id}.{body}", {"id": "."}),
        ("{id}::{body}", {"id": ":"}),
        ("{id}.{header.X-Topic}|{body}", {"id": ".", "header.x-topic": "|"}),
        ("{field.a}:{field.b}", {"field.a": ":"}),
        ("{timestamp}.{body}", {}),
        ("{body}", {}),
        ("{id}.", {}),
    ],
)
def test_what_stands_before_a_separator_must_not_contain_it(signed: str, barred: dict[str, str]) -> None:
    assert Template(signed).barred == barred


class Shift(NamedTuple):
    """One signed content, and two requests that it could belong to."""

    signed: str
    content: bytes
    captured: Request
    shifted: Request


def shift(
    signed: str,
    content: bytes,
    captured: tuple[bytes, dict[str, str]],
    moved: tuple[bytes, dict[str, str]],
    urls: tuple[str, str] = ("/hooks/a", "/hooks/a"),
) -> Shift:
    first, second = (
        post(body, content, url=url, **headers) for (body, headers), url in zip((captured, moved), urls, strict=True)
    )
    return Shift(signed, content, first, second)


SHIFTS: dict[str, Shift] = {
    "id and body": shift("{id}.{body}", b"a.b.c", (b"b.c", {"x_id": "a"}), (b"c", {"x_id": "a.b"})),
    "id, time and body": shift(
        "{id}.{timestamp}.{body}",
        f"a.{STAMP}.{STAMP}.c".encode(),
        (f"{STAMP}.c".encode(), {"x_id": "a", "x_timestamp": STAMP}),
        (b"c", {"x_id": f"a.{STAMP}", "x_timestamp": STAMP}),
    ),
    "header and body": shift("{header.x-t}:{body}", b"a:b:c", (b"b:c", {"x_t": "a"}), (b"c", {"x_t": "a:b"})),
    "header and header": shift(
        "{header.x-t}:{header.x-u}\n{body}",
        b"a:b:c\n{}",
        (b"{}", {"x_t": "a", "x_u": "b:c"}),
        (b"{}", {"x_t": "a:b", "x_u": "c"}),
    ),
    "time and body": shift(
        "{timestamp}{body}",
        b"17000000005c",
        (b"5c", {"x_timestamp": STAMP}),
        (b"c", {"x_timestamp": "17000000005"}),
    ),
    "body and time": shift(
        "{body}{timestamp}",
        b"c11700000000",
        (b"c1", {"x_timestamp": STAMP}),
        (b"c", {"x_timestamp": "11700000000"}),
    ),
    "path and body": shift("{path}.{body}", b"/hooks/a.b.c", (b"b.c", {}), (b"c", {}), ("/hooks/a", "/hooks/a.b")),
    "query and body": shift("{query}.{body}", b"x=1.b.c", (b"b.c", {}), (b"c", {}), ("/hooks/a?x=1", "/hooks/a?x=1.b")),
    "url and body": shift(
        "{url}.{body}", f"{URL}?x=1.b.c".encode(), (b"b.c", {}), (b"c", {}), ("/hooks/a?x=1", "/hooks/a?x=1.b")
    ),
    "path and query": shift(
        "{path}?{query}", b"/hooks/a?b?c=1", (b"{}", {}), (b"{}", {}), ("/hooks/a?b?c=1", "/hooks/a%3Fb?c=1")
    ),
}


@pytest.mark.parametrize("case", SHIFTS.values(), ids=SHIFTS)
def test_a_captured_delivery_cannot_be_cut_in_another_place(endpoint: MakeEndpoint, case: Shift) -> None:
    """Refused when the application starts, or when the shifted request comes; never accepted."""
    options: dict[str, Any] = {"public_url": URL} if "{url}" in case.signed else {}
    try:
        chain = record(case.signed).chain(SECRET, **options)
    except ConfigError:
        return
    app = endpoint(routes={"/hooks/*": chain})
    assert app.post(case.captured).status == 200
    fresh = endpoint(routes={"/hooks/*": chain})
    # 400 where the shifted path is ambiguous already, whatever was signed.
    assert fresh.post(case.shifted).status in {400, 401}
    assert fresh.calls == []


def test_an_id_that_contains_the_separator_is_malformed(endpoint: MakeEndpoint) -> None:
    app = routed(endpoint, record("{id}.{body}"))
    assert app.post(post(b"c", b"a.b.c", x_id="a.b")).status == 401
    assert (app.reason, app.calls) == ("id_malformed", [])
    assert app.post(post(b"c", b"a-b.c", x_id="a-b")).status == 200
    assert app.last.id == "a-b"


@pytest.mark.parametrize("text", ["a b", "a,b", "a\x7fb", "\xeb", "x" * 1025], ids=repr)
def test_an_id_in_the_head_is_one_printable_word(endpoint: MakeEndpoint, text: str) -> None:
    app = routed(endpoint, record("{id}.{body}"))
    assert app.post(post(b"c", text.encode("latin-1") + b".c", x_id=text)).status == 401
    assert (app.reason, app.calls) == ("id_malformed", [])


def test_an_absent_id_is_missing(endpoint: MakeEndpoint) -> None:
    app = routed(endpoint, record("{id}.{body}"))
    for request in (post(b"c", b".c"), post(b"c", b".c", x_id=" ")):
        assert app.post(request).status == 401
        assert (app.reason, app.calls) == ("id_missing", [])


@pytest.mark.parametrize(("unit", "text"), [("s", "999999999"), ("s", "17000000000"), ("ms", "999999999999")])
def test_a_timestamp_that_touches_open_text_has_todays_width(endpoint: MakeEndpoint, unit: str, text: str) -> None:
    touching = record("{timestamp}{body}", timestamp_unit=unit)
    app = routed(endpoint, touching)
    assert app.post(post(b"c", f"{text}c".encode(), x_timestamp=text)).status == 401
    assert (app.reason, app.calls) == ("timestamp_malformed", [])
    apart = routed(endpoint, record("{timestamp}.{body}", timestamp_unit=unit))
    assert apart.post(post(b"c", f"{text}.c".encode(), x_timestamp=text)).status == 200


# Everything that a template can name, end to end.


class Case(NamedTuple):
    """A sender, the bytes its signature is about, a genuine request, and the same with one part altered."""

    sender: Provider
    genuine: Request
    tampered: Request
    options: dict[str, Any] = {}  # noqa: RUF012 - never written to


def case(
    signed: str,
    content: bytes,
    change: dict[str, Any],
    *,
    body: bytes = b'{"n":1}',
    url: str = "/hooks/a",
    facts: dict[str, Any] | None = None,
    options: dict[str, Any] | None = None,
    **headers: str,
) -> Case:
    genuine = post(body, content, url=url, **headers)
    moved = {name: value for name, value in change.items() if name in Request._fields}
    lines = {name: value for name, value in change.items() if name not in moved}
    tampered = altered(genuine, **lines)._replace(**moved)
    return Case(record(signed, **(facts or {})), genuine, tampered, options or {})


BODY = b'{"n":1}'
DIGEST = hashlib.sha256(BODY).hexdigest()
LARGE = bytes(range(256)) * 1200
BOTH = {"methods": ["POST", "PUT"]}
CASES: dict[str, Case] = {
    "{body}": case("{body}", BODY, {"body": b'{"n":2}'}),
    "{body}, binary": case("{body}", b"\xff\0\r\n", {"body": b"\xff\0\n"}, body=b"\xff\0\r\n"),
    "{body}, empty": case("{body}", b"", {"body": b" "}, body=b""),
    "{body}, large": case("{body}", LARGE, {"body": LARGE[:-1] + b"\0"}, body=LARGE),
    "{body} between others": case(
        "{id}.{body}.{timestamp}",
        b"e1." + LARGE + b"." + STAMP.encode(),
        {"body": b"\1" + LARGE[1:]},
        body=LARGE,
        x_id="e1",
        x_timestamp=STAMP,
    ),
    "{body:sha256}": case("{body:sha256}", DIGEST.encode(), {"body": b'{"n":2}'}),
    "{body:sha256}, large": case(
        "{id}:{body:sha256}!",
        f"e1:{hashlib.sha256(LARGE).hexdigest()}!".encode(),
        {"body": LARGE[:-1]},
        body=LARGE,
        x_id="e1",
    ),
    "{body:sha256}, before others": case("{body:sha256}.{id}", f"{DIGEST}.e1".encode(), {"x_id": "e2"}, x_id="e1"),
    "{id}": case("{id}.{body}", b"e1." + BODY, {"x_id": "e2"}, x_id="e1"),
    "{id} in the query": case(
        "{id}.{body}", b"e 1." + BODY, {"url": "/hooks/a?id=e2"}, url="/hooks/a?id=e1", facts={"id": Query("id")}
    )._replace(genuine=post(BODY, b"e1." + BODY, url="/hooks/a?id=e%31")),
    "{timestamp}": case(
        "{timestamp}.{body}",
        f"{STAMP}.".encode() + BODY,
        {"x_timestamp": "1700000001"},
        x_timestamp=STAMP,
        facts={"max_age": 300},
    ),
    "{timestamp}, verbatim": case(
        "{timestamp}.{body}",
        b"2023-11-14t22:13:20.50z." + BODY,
        {"x_timestamp": "2023-11-14T22:13:20.5Z"},
        x_timestamp="2023-11-14t22:13:20.50z",
        facts={"max_age": 300, "timestamp_unit": "rfc3339"},
    ),
    "{method}": case("{method}\n{body}", b"POST\n" + BODY, {"method": "PUT"}, options=BOTH),
    "{path}": case("{path}\n{body}", b"/hooks/a\n" + BODY, {"url": "/hooks/b"}),
    "{path} and its last slash": case("{path}\n{body}", b"/hooks/a\n" + BODY, {"url": "/hooks/a/"}),
    "{query}": case("{query}\n{body}", b"x=1&y=%20\n" + BODY, {"url": "/hooks/a?x=2&y=%20"}, url="/hooks/a?x=1&y=%20"),
    "{query}, its order": case(
        "{query}\n{body}", b"x=1&y=2\n" + BODY, {"url": "/hooks/a?y=2&x=1"}, url="/hooks/a?x=1&y=2"
    ),
    "{query}, its spelling": case("{query}\n{body}", b"x=%20\n" + BODY, {"url": "/hooks/a?x=+"}, url="/hooks/a?x=%20"),
    "{query}, absent": case("{query}\n{body}", b"\n" + BODY, {"url": "/hooks/a?x=1"}),
    "{url}": case("{url}\n{body}", f"{URL}\n".encode() + BODY, {"body": b"{}"}, options={"public_url": URL}),
    "{url} with a query": case(
        "{url}\n{body}",
        f"{URL}?x=1\n".encode() + BODY,
        {"url": "/hooks/a?x=2"},
        url="/hooks/a?x=1",
        options={"public_url": URL},
    ),
    "{url} without its query": case(
        "{url}\n{body}",
        f"{URL}?x=1\n".encode() + BODY,
        {"url": "/hooks/a"},
        url="/hooks/a?x=1",
        options={"public_url": URL},
    ),
    "{header.NAME}": case("{header.X-Topic}\n{body}", b"orders\n" + BODY, {"x_topic": "refunds"}, x_topic="orders"),
    "{header.NAME}, verbatim": case(
        "{header.X-Topic}\n{body}", b"Orders;  v=01\n" + BODY, {"x_topic": "orders;  v=01"}, x_topic="Orders;  v=01"
    ),
    "{header.NAME}, in latin-1": case(
        "{header.x-topic}\n{body}", b"caf\xe9\n" + BODY, {"x_topic": "cafe"}, x_topic="caf\xe9"
    ),
    "{header.content-type}": case(
        "{header.content-type}\n{body}",
        b"application/json\n" + BODY,
        {"content_type": "text/plain"},
        content_type="application/json",
    ),
    "{field.NAME}": case(
        "{field.n}", b"1", {"body": b'{"n":2}'}, content_type="application/json", facts={"fields_in": "json"}
    ),
    "{field.NAME} of a form": case(
        "{field.n}",
        "ë".encode(),
        {"body": b"n=e"},
        body=b"n=%C3%AB&m=1",
        content_type="application/x-www-form-urlencoded",
        facts={"fields_in": "form"},
    ),
    "{field.NAME} and {header.NAME}": case(
        "{header.x-topic}\n{field.n}",
        b"orders\n1",
        {"x_topic": "refunds"},
        content_type="application/json",
        x_topic="orders",
    ),
    "{interval}": case("{interval}.{body}", b"28333333." + BODY, {"body": b"{}"}, facts={"every": 60, "neighbours": 0}),
    "a literal": case("v0:é:{body}", "v0:é:".encode() + BODY, {"body": b"{}"}),
    "several at once": case(
        "{method} {path}?{query}\n{header.x-topic}\n{timestamp}\n{body:sha256}",
        f"POST /hooks/a?x=1\norders\n{STAMP}\n{DIGEST}".encode(),
        {"x_topic": "refunds"},
        url="/hooks/a?x=1",
        x_topic="orders",
        x_timestamp=STAMP,
    ),
}


@pytest.mark.parametrize("case_", CASES.values(), ids=CASES)
def test_what_a_template_names_is_proven_and_no_other_value_is(endpoint: MakeEndpoint, case_: Case) -> None:
    tampered = routed(endpoint, case_.sender, **case_.options)
    assert tampered.post(case_.tampered).status == 401
    assert (tampered.reason, tampered.calls) == ("signature_mismatch", [])
    app = routed(endpoint, case_.sender, **case_.options)
    assert app.post(case_.genuine).status == 200
    assert app.calls[-1].body == case_.genuine.body


# Values that sign() spells in one way only.
SPELT = {name: case_ for name, case_ in CASES.items() if not name.endswith((", verbatim", "in the query"))}


@pytest.mark.parametrize("case_", SPELT.values(), ids=SPELT)
def test_what_verifies_also_signs(case_: Case) -> None:
    sender, genuine = case_.sender, case_.genuine
    assert isinstance(genuine.headers, dict)
    query = genuine.url.partition("?")[2]
    url = URL + (f"?{query}" if query else "") if "url" in sender.template.names else genuine.url
    kept = {k: v for k, v in genuine.headers.items() if k not in {"x-signature", "x-timestamp", "x-id"}}
    made = sender.sign(genuine.body, secret=SECRET, at=NOW, id="e1", method=genuine.method, url=url, headers=kept)
    assert {k: made.headers.get(k) for k in genuine.headers} == genuine.headers
    assert made.body == genuine.body


# Single names, and what may be wrong with them.


@pytest.mark.parametrize("value", [None, "", " ", "\x7f"], ids=repr)
def test_a_signed_header_that_is_absent_is_refused(endpoint: MakeEndpoint, value: str | None) -> None:
    app = routed(endpoint, record("{header.x-topic}\n{body}"))
    request = altered(post(BODY, (value or "").strip().encode("latin-1") + b"\n" + BODY), x_topic=value)
    assert app.post(request).status == 401
    assert (app.reason, app.calls) == ("signature_malformed", [])


def test_a_repeated_signed_header_is_refused(endpoint: MakeEndpoint) -> None:
    app = routed(endpoint, record("{header.x-topic}\n{body}"))
    lines = [("x-signature", tag(b"orders\n" + BODY)), ("x-topic", "orders"), ("x-topic", "orders")]
    assert app.post(Request("POST", "/hooks/a", lines, BODY)).status == 401
    assert app.reason == ("signature_mismatch" if app.world == "wsgi" else "header_duplicated")
    assert app.calls == []


def test_a_signed_url_needs_to_be_told() -> None:
    with pytest.raises(ConfigError, match=r"set public_url="):
        record("{url}\n{body}").chain(SECRET)


@pytest.mark.parametrize(
    "url",
    [
        "/hooks/a",
        "api.example/hooks/a",
        "//api.example/hooks/a",
        "ftp://api.example/hooks/a",
        "https://",
        "https://api.example/hooks/a?x=1",
        "https://api.example/hooks/a#top",
        "https://api.example/hooks/a b",
        " https://api.example/hooks/a",
        # Sent as punycode and percent-escapes: no request could ever match the text itself.
        "https://例え.example/hooks/a",
    ],
)
def test_a_public_url_is_absolute_and_without_query(url: str) -> None:
    with pytest.raises(ConfigError, match="public_url"):
        record("{url}\n{body}").chain(SECRET, public_url=url)


def test_the_url_is_what_was_told_and_not_what_the_request_says(endpoint: MakeEndpoint) -> None:
    app = routed(endpoint, record("{url}\n{body}"), public_url=URL)
    other = "https://evil.example/hooks/a"
    forged = post(BODY, f"{other}\n".encode() + BODY, host="evil.example", x_forwarded_host="evil.example")
    assert app.post(forged).status == 401
    assert app.post(forged._replace(url=other)).status == 401
    assert (app.reason, app.calls) == ("signature_mismatch", [])
    assert app.post(altered(post(BODY, f"{URL}\n".encode() + BODY), host="evil.example")).status == 200


@pytest.mark.parametrize("path", ["/hooks/%C3%AB", "/hooks/%E2%82%AC", "/hooks/%F0%9F%98%80", "/hooks/%FF"])
def test_a_path_beyond_ascii_gets_a_verdict(endpoint: MakeEndpoint, path: str) -> None:
    app = routed(endpoint, record("{path}\n{body}"))
    forged = post(BODY, b"/hooks/a\n" + BODY, url=path)
    assert 400 <= app.post(forged).status < 500
    assert app.calls == []


@pytest.mark.parametrize("path", ["/hooks/%C3%AB", "/hooks/%E2%82%AC", "/hooks/%c3%ab", "/hooks/%61%2d"])
def test_a_genuine_path_is_proven_as_it_was_sent(endpoint: MakeEndpoint, path: str) -> None:
    app = routed(endpoint, record("{path}\n{body}"))
    genuine = post(BODY, path.encode() + b"\n" + BODY, url=path)
    # Servers that keep the request line hand it on under one of these names.
    overrides = {"RAW_URI": f"{path}?x=1"} if app.world == "wsgi" else {}
    assert app.post(genuine, **overrides).status == 200


@pytest.mark.parametrize("signed", ["{path}\n{body}", "{query}\n{body}", "{url}\n{body}"])
@pytest.mark.parametrize("url", ["/hooks/€?x=€", "/hooks/ë?x=ë", "/hooks/\ud800?x=\ud800"], ids=ascii)
def test_text_that_no_request_line_can_hold_gets_a_verdict(signed: str, url: str) -> None:
    options: Any = {"public_url": URL} if "{url}" in signed else {}
    chain = record(signed).chain(SECRET, **options)
    with pytest.raises(Answer) as caught:
        chain.verify(headers={"x-signature": "00" * 32}, body=BODY, url=url, now=NOW)
    assert 400 <= caught.value.status < 500


# What is not signed is not proven.

UNSIGNED: dict[str, tuple[dict[str, Any], str]] = {
    "a timestamp in a header": ({"timestamp": Header("x-timestamp")}, "timestamp"),
    "a timestamp in a part": ({"timestamp": Header("x-signature", part="t")}, "timestamp"),
    "a timestamp in the query": ({"timestamp": Query("t")}, "timestamp"),
    "an id in a header": ({"id": Header("x-id")}, "id"),
    "an id in the query": ({"id": Query("id")}, "id"),
    "an id, though the time is signed": (
        {"signed": "{timestamp}.{body}", "timestamp": Header("x-timestamp"), "id": Header("x-id")},
        "id",
    ),
    "a timestamp, though the id is signed": (
        {"signed": "{id}.{body}", "timestamp": Header("x-timestamp"), "id": Header("x-id")},
        "timestamp",
    ),
    "a timestamp in a body of which fields are signed": (
        {"signed": "{field.order}", "timestamp": JSONField("sent")},
        "timestamp",
    ),
    "an id in a body of which fields are signed": ({"signed": "{field.order}", "id": JSONField("id")}, "id"),
    "an id in a form of which fields are signed": (
        {"signed": "{field.order}", "id": FormField("id"), "fields_in": "form"},
        "id",
    ),
    "an id in a body that is not signed": ({"signed": "{method}", "id": JSONField("id")}, "id"),
    "an id beside the signed path": ({"signed": "{field.a.b}", "id": JSONField("a.b")}, "id"),
    "a timestamp beside the signed path": ({"signed": "{field.a.b}", "timestamp": JSONField("a.b")}, "timestamp"),
    "an id under a token": ({"algorithm": "token", "encoding": "text", "id": JSONField("id")}, "id"),
    "a timestamp under a token": (
        {"algorithm": "token", "encoding": "text", "timestamp": JSONField("sent")},
        "timestamp",
    ),
    "a header under a token that claims to sign it": (
        {"algorithm": "token", "encoding": "text", "signed": "{id}.{body}", "id": Header("x-id")},
        "id",
    ),
}


@pytest.mark.parametrize(("facts", "setting"), UNSIGNED.values(), ids=UNSIGNED)
def test_an_unsigned_timestamp_or_id_is_refused(facts: dict[str, Any], setting: str) -> None:
    with pytest.raises(ConfigError, match=f"an unsigned {setting} proves nothing"):
        Provider(**{"name": "acme", "signature": Header("x-signature"), **facts})


PROVEN: dict[str, dict[str, Any]] = {
    "in a signed body": {"timestamp": JSONField("sent"), "id": JSONField("meta", "id")},
    "in a body signed by digest": {"signed": "{body:sha256}", "id": JSONField("id")},
    "a signed field": {"signed": "{field.meta.id}", "id": JSONField("meta", "id")},
    "a signed field of a form": {"signed": "{field.id}", "id": FormField("id"), "fields_in": "form"},
}


@pytest.mark.parametrize("facts", PROVEN.values(), ids=PROVEN)
def test_what_the_signature_covers_may_be_an_id(facts: dict[str, Any]) -> None:
    made = Provider(**{"name": "acme", "signature": Header("x-signature"), **facts})
    assert made.chain(SECRET).duplicate_key == "id"


@pytest.mark.parametrize("setting", ["timestamp", "id"])
def test_a_name_without_a_place_is_refused(setting: str) -> None:
    with pytest.raises(ConfigError, match=rf"say where it is with {setting}="):
        Provider(name="acme", signature=Header("x-signature"), signed=f"{{{setting}}}.{{body}}")


def test_using_checks_the_copy_again() -> None:
    sender = record("{id}.{body}")
    with pytest.raises(ConfigError, match="an unsigned id proves nothing"):
        sender.using(signed="{body}")
    with pytest.raises(ConfigError, match="no fact is called signd"):
        sender.using(signd="{body}")


@pytest.mark.parametrize("facts", [{"signed": "{interval}.{body}"}, {"signed": "{body}", "every": 60}])
def test_every_and_interval_go_together(facts: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"every=.*\{interval\}"):
        record(**facts)


# The rounding of intervals.


@pytest.mark.parametrize(
    ("now", "every", "middle"),
    [
        (0, 60, 0),
        (29.999, 60, 0),
        (30, 60, 1),
        (89.999, 60, 1),
        (90, 60, 2),
        (149.999, 60, 2),
        (150, 60, 3),
        (1_699_999_950, 60, 28_333_333),
        (1_699_999_949.999, 60, 28_333_332),
        (1_700_000_010, 60, 28_333_334),
        (1800, 3600, 1),
        (5400, 3600, 2),
    ],
)
def test_half_an_interval_rounds_up(now: float, every: float, middle: int) -> None:
    assert intervals(now, every=every, neighbours=0) == [str(middle)]


@given(st.integers(0, 1 << 35), st.sampled_from([1, 2, 30, 60, 300, 3600]), st.integers(0, 5))
def test_intervals_are_the_nearest_ones_nearest_first(now: int, every: int, neighbours: int) -> None:
    found = [int(number) for number in intervals(now, every=every, neighbours=neighbours)]
    middle = int((Decimal(now) / every).quantize(Decimal(1), ROUND_HALF_UP))
    assert found[0] == middle
    assert sorted(found) == list(range(middle - neighbours, middle + neighbours + 1))
    distances = [abs(number - middle) for number in found]
    assert distances == sorted(distances)
