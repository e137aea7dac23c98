"""Hostile requests as bytes on real sockets, through the servers people use.

A row of the corpus is left out where its request says something that no sender can: an environ or scope of its own,
what ``receive`` or ``wsgi.input`` do, the application's way to answer, a store in trouble, another time. Everything
else is sent, to the servers of the world that the row names. A server may refuse what is malformed by itself.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from server_apps import ANSWER, PROGRAMS, Answered, Report, Server, Servers, chunked, latin, lazily_started, wire

for needed in (
    "uvicorn", "h11", "httptools", "hypercorn", "gunicorn", "waitress", "granian", "daphne", "cheroot", "pyuwsgi"
):  # fmt: skip
    pytest.importorskip(needed)

DATA = Path(__file__).parent / "data"
ROWS: list[dict[str, Any]] = json.loads((DATA / "hostile.json").read_text())
SENT = {"method", "path", "headers", "headers_latin1", "headers_raw", "raw_header_names", "body", "body_b64"} | {
    "body_repeat", "declared_only", "max_receive_calls", "app_status", "expect", "provider", "parallel", "request",
}  # fmt: skip
"""What a request of a row may consist of if a sender can make it."""


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    """One process of each server for the whole module."""
    with lazily_started() as started:
        yield started


def sendable(row: dict[str, Any]) -> bool:
    steps = row["request"].get("sequence", [row["request"]])
    return all(step.keys() <= SENT for step in steps)


def on_servers(rows: list[dict[str, Any]]) -> list[Any]:
    return [
        pytest.param(name, row, id=f"{name}-{row['id']}")
        for name, program in PROGRAMS.items()
        for row in rows
        if row["transport"] in {"both", program.interface} and sendable(row)
    ]


SINGLE = [row for row in ROWS if "method" in row["request"]]
SEQUENCES = [row for row in ROWS if "sequence" in row["request"]]


WAITS_FOR_THE_BODY = {("daphne", "size-003"), ("daphne", "size-007"), ("cheroot", "size-003")}
"""Rows that declare a body and never send it: daphne asks nobody before it has it, cheroot answers nobody."""

TRIMMED = {("wsgiref", "signature-015")}
"""Header values out of which a server makes another: wsgiref's parser takes a no-break space for a blank."""


def body_of(request: dict[str, Any]) -> bytes:
    if "body_b64" in request:
        return base64.b64decode(request["body_b64"])
    if "body_repeat" in request:
        character, count = request["body_repeat"]
        return bytes(character.encode() * count)
    return bytes(request.get("body", "").encode())


def bytes_of(request: dict[str, Any]) -> bytes:
    headers = [
        (name, value) for kind in ("headers", "headers_latin1", "headers_raw") for name, value in request.get(kind, [])
    ]
    declared = request.get("declared_only", False)
    return wire(request["method"], request["path"], headers, b"" if declared else body_of(request), length=not declared)


def expect(wanted: dict[str, Any], answered: Answered, report: Report, body: bytes, *, emptied: bool) -> None:
    """Compare what came back and what ran with what the row says; *emptied*: the server hides odd header values."""
    allowed = wanted["status"] if isinstance(wanted["status"], list) else [wanted["status"]]
    if wanted["app_called"] is not None:
        assert len(report.calls) == wanted["app_called"], (answered, report)
    assert only_proven(report, body)
    if not report.calls and not report.reasons:
        assert refused_by_server(answered), answered
        return
    assert answered.status in allowed, (answered, report)
    hints = set((wanted.get("reason_hint") or "").split("|")) - {""}
    if hints and not report.calls:
        # Below ``protect`` a path without a route has a reason of its own. granian's WSGI empties what is not ASCII.
        hints |= {"route_unknown"} | {hint.replace("_malformed", "_missing") for hint in hints if emptied}
        assert report.reasons[-1] in hints, report
    for name, value in wanted.get("headers_has", {}).items():
        assert answered.all(name) == [value]
    for name in wanted.get("headers_absent", []):
        assert answered.all(name) == []
    if "attr" in wanted:
        assert report.calls[-1]["test"] == wanted["attr"]["test_traffic"]


def only_proven(report: Report, *bodies: bytes) -> bool:
    """Return whether every call had a verdict and exactly one of the *bodies*."""
    known = {hashlib.sha256(body).hexdigest() for body in bodies}
    return all(call["webhook"] and call["body"] in known for call in report.calls)


def refused_by_server(answered: Answered) -> bool:
    return answered.status == 0 or (400 <= answered.status < 600 and answered.status != 500)


@pytest.mark.parametrize(("name", "row"), on_servers(SINGLE))
def test_a_hostile_request_comes_out_as_its_row_says(servers: Servers, name: str, row: dict[str, Any]) -> None:
    server = servers[name]
    server.report()
    answered = server.exchange(bytes_of(row["request"]))
    if (name, row["id"]) in WAITS_FOR_THE_BODY:
        assert answered.status in {-1, 0}
        assert server.report().calls == []
        return
    if (name, row["id"]) in TRIMMED:
        assert only_proven(server.report(), body_of(row["request"]))
        return
    emptied = name == "granian-wsgi" and "headers_latin1" in row["request"]
    expect(row["expect"], answered, server.report(), body_of(row["request"]), emptied=emptied)


@pytest.mark.parametrize(("name", "row"), on_servers(SEQUENCES))
def test_a_sequence_of_requests_comes_out_as_its_row_says(servers: Servers, name: str, row: dict[str, Any]) -> None:
    server = servers[name]
    *earlier, last = row["request"]["sequence"]
    server.report()
    if "parallel" in last:
        with ThreadPoolExecutor(last["parallel"]) as threads:
            requests = [bytes_of(last["request"])] * last["parallel"]
            answers = list(threads.map(server.exchange, requests))
        assert {answered.status for answered in answers} <= {200, 409}
        assert len(server.report().calls) == row["expect"]["app_calls"]
        return
    # The store is forgotten with every look, so the calls of the whole sequence are looked at together.
    statuses = [step.get("app_status", 200) for step in [*earlier, last]]
    bodies = []
    wanted_calls = 0
    for status, step in zip(statuses, [*earlier, last], strict=True):
        assert server.exchange(wire("POST", f"{ANSWER}{status}")).status == 200
        answered = server.exchange(bytes_of(step))
        wanted = row["expect"] if step is last else step["expect"]
        allowed = wanted["status"] if isinstance(wanted["status"], list) else [wanted["status"]]
        assert answered.status in allowed or (refused_by_server(answered) and not wanted["app_called"])
        wanted_calls += bool(wanted["app_called"])
        bodies.append(body_of(step))
    report = server.report()
    if row["expect"]["app_called"] is not None:
        assert len(report.calls) == wanted_calls
    assert only_proven(report, *bodies)


# What the corpus cannot say

SECRET = b"It's a Secret to Everybody"
BODY = b'{"event":"push","n":1}'
PART = BODY[:10]
HOOK = "/webhooks/gh"
NAME, TWIN = "X-Hub-Signature-256", "X_Hub_Signature_256"
ZIPPED = gzip.compress(BODY, mtime=0)


def signature(body: bytes) -> str:
    return "sha256=" + hmac.new(SECRET, body, hashlib.sha256).hexdigest()


GOOD, EVIL = signature(BODY), "sha256=" + "6" * 64
CHUNKED = ("Transfer-Encoding", "chunked")


def post(*headers: tuple[str, str], body: bytes = BODY, target: str = HOOK, length: bool = True) -> bytes:
    return wire("POST", target, headers, body, length=length and CHUNKED not in headers)


def lines(*given: str, body: bytes = BODY) -> bytes:
    """Return a request with exactly the header lines *given*."""
    return b"\r\n".join([f"POST {HOOK} HTTP/1.1".encode(), b"Host: h", *map(latin, given), b"", body])


GENUINE = {
    "plain": post((NAME, GOOD)),
    "HTTP/1.0": post((NAME, GOOD)).replace(b"HTTP/1.1", b"HTTP/1.0"),
    "chunked": post((NAME, GOOD), CHUNKED, body=chunked(BODY[:5], BODY[5:6], BODY[6:])),
    "chunk extension": post((NAME, GOOD), CHUNKED, body=b"16;a=b\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "trailing blanks": post((NAME, GOOD + " \t")),
    "leading blanks": post((NAME, "\t \t" + GOOD)),
    "other case": post((NAME.lower(), GOOD)),
    "query": post((NAME, GOOD), target=HOOK + "?a=%zz&b"),
    "slash at the end": post((NAME, GOOD), target=HOOK + "/"),
    "encoded letter": post((NAME, GOOD), target="/%77ebhooks/gh"),
    "length with a zero": lines(f"{NAME}: {GOOD}", "Content-Length: 022"),
    "expectation": lines(f"{NAME}: {GOOD}", "Expect: 100-continue", "Content-Length: 22"),
    "evil twin before": post((TWIN, EVIL), (NAME, GOOD)),
}
"""Spellings of one genuine delivery that every server understands."""

FORGED = {
    "length and nothing": lines("Content-Length: 22"),
    "duplicate good good": post((NAME, GOOD), (NAME, GOOD)),
    "duplicate good evil": post((NAME, GOOD), (NAME, EVIL)),
    "duplicate evil good": post((NAME, EVIL), (NAME, GOOD)),
    "duplicate empty good": post((NAME, ""), (NAME, GOOD)),
    "folded signature": lines(f"{NAME}: {GOOD[:20]}\r\n {GOOD[20:]}", "Content-Length: 22"),
    "bare CR": lines(f"{NAME}: {GOOD}\rx", "Content-Length: 22"),
    "NUL": lines(f"{NAME}: {GOOD}\0", "Content-Length: 22"),
    "vertical tab": lines(f"{NAME}: {GOOD}\v", "Content-Length: 22"),
    "latin-1": post((NAME, GOOD + "\xe9")),
    "9 KiB": post((NAME, GOOD + "a" * 9000)),
    "60 KiB": post((NAME, GOOD + "a" * 60000)),
    "blank before colon": lines(f"{NAME} : {GOOD}", "Content-Length: 22"),
    "chunked, unsigned": post(CHUNKED, body=chunked(BODY)),
    "unknown coding": post((NAME, GOOD), ("Transfer-Encoding", "xchunked")),
    "no length": lines(f"{NAME}: {GOOD}"),
    **{
        f"length {value!r}": lines(f"{NAME}: {GOOD}", f"Content-Length: {value}")
        for value in ("abc", "-1", "+22", "2_2", "", "0x16", "9" * 23, "0" * 18 + "22", "22\r\nContent-Length: 5")
    },
    "absolute form": post(target="http://evil.example/webhooks/gh"),
    "no slash": post(target="webhooks/gh"),
    **{
        target: post(target=target)
        for target in (
            "//webhooks/gh", "/webhooks//gh", "/webhooks\\gh", "/%2577ebhooks/gh", "/webhooks;x/gh", "/webhooks/gh;x",
            "/webhooks/gh%00", "/webhooks/\xe9", "/webhooks/%e9", "/webhooks/gh%3fx", "/webhooks/gh#x",
            "/webhooks%5cgh", "/x/%2e%2e/webhooks/gh", "/webhooks/%2e%2e/free", "/webhooks/../free",
            "/free/../webhooks/gh", "/webhooks", "/webhooks/gh%20", "/.%2fwebhooks/gh",
        )
    },
    **{
        f"method {method}": wire(method, HOOK, (), b"")
        for method in ("FOO", "TRACE", "CONNECT", "GET", "HEAD", "PoSt", "P@ST", "PROPFIND")
    },
    "signed GET": wire("GET", HOOK, [(NAME, GOOD)], BODY),
    "overridden method": wire("GET", HOOK, [("X-HTTP-Method-Override", "POST"), (NAME, GOOD)], BODY),
    "HTTP/0.9": f"POST {HOOK}\r\n\r\n".encode(),
    "request as a body": post(body=b"GET /free HTTP/1.1\r\nHost: h\r\n\r\n"),
    "request as chunks": post(CHUNKED, body=chunked(b"GET /free HTTP/1.1\r\nHost: h\r\n\r\n")),
}  # fmt: skip
"""Requests that prove nothing, or not what they say: the application runs on no server."""

DOUBTFUL = {
    "length and chunks": post((NAME, GOOD), CHUNKED, ("Content-Length", "22"), body=chunked(BODY)),
    "wrong length and chunks": post((NAME, GOOD), ("Content-Length", "5"), CHUNKED, body=chunked(BODY)),
    "length of a signed part": lines(f"{NAME}: {signature(PART)}", "Content-Length: 10"),
    "length twice": lines(f"{NAME}: {GOOD}", "Content-Length: 22", "Content-Length: 22"),
    "length as a list": lines(f"{NAME}: {GOOD}", "Content-Length: 22, 22"),
    "gzip and chunks": post(
        (NAME, signature(ZIPPED)), ("Transfer-Encoding", "gzip, chunked"), body=chunked(ZIPPED), length=False
    ),
    "signature in the trailer": post(CHUNKED, body=chunked(BODY)[:-2] + f"{NAME}: {GOOD}\r\n\r\n".encode()),
    "other line folded": lines(f"{NAME}: {GOOD}", "X-Other: a\r\n b", "Content-Length: 22"),
    "bare LF": lines(f"{NAME}: {GOOD}\nX-Other: b", "Content-Length: 22"),
    "absolute form": post((NAME, GOOD), target="http://hooks.example" + HOOK),
    "two slashes": post((NAME, GOOD), target="/" + HOOK),
    "fragment": post((NAME, GOOD), target=HOOK + "#x"),
    "lower-case method": wire("post", HOOK, [(NAME, GOOD)], BODY),
    "no host": post((NAME, GOOD)).replace(b"Host: hooks.example\r\n", b""),
    "HTTP/1.9": post((NAME, GOOD)).replace(b"HTTP/1.1", b"HTTP/1.9"),
    "HTTP/2.0": post((NAME, GOOD)).replace(b"HTTP/1.1", b"HTTP/2.0"),
    "HTTP/2 by upgrade": post(
        (NAME, GOOD), ("Connection", "Upgrade"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABk")
    ),
    "odd expectation": post((NAME, GOOD), ("Expect", "200-maybe")),
}
"""Genuine deliveries in a form on which servers disagree: refused, or the application sees what was signed."""

CUT = {
    "half a body": lines(f"{NAME}: {GOOD}", "Content-Length: 22", body=PART),
    "half a body, signed": lines(f"{NAME}: {signature(PART)}", "Content-Length: 22", body=PART),
    "half a chunk": post((NAME, GOOD), CHUNKED, body=b"16\r\n" + PART),
    "bad chunk size": post((NAME, GOOD), CHUNKED, body=b"zz\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "half a head": post((NAME, GOOD))[:60],
    "no HTTP": b"\x16\x03\x01\x00\xa5\x01\x00\x00" + bytes(64),
}
"""What a sender leaves behind that breaks off."""


UNDECODED = {
    ("wsgiref", "chunked"): 411, ("wsgiref", "chunk extension"): 411,
    ("uwsgi", "chunked"): 411, ("uwsgi", "chunk extension"): 411,
    ("werkzeug", "chunk extension"): 400,
    ("wsgiref", "evil twin before"): 401, ("uwsgi", "evil twin before"): 401,
}  # fmt: skip
"""Genuine deliveries that a server does not undo, or joins with another line: refused, and told so."""

READ_AS_GENUINE = {
    *(("cheroot", f"duplicate {which} good") for which in ("good", "evil", "empty")),
    ("cheroot", "vertical tab"), ("cheroot", "blank before colon"),
    ("wsgiref", "vertical tab"), ("wsgiref", "length '22\\r\\nContent-Length: 5'"),
}  # fmt: skip
"""Malformed requests out of which a server makes the genuine one: the last of two lines, a blank trimmed."""

RESOLVED = {("uwsgi", "/webhooks/../free"): "/free", ("uwsgi", "HTTP/0.9"): ""}
"""Paths that a server resolves, or cannot read, before anybody sees them: they are no route."""

HUNG_UP = {
    ("daphne", "60 KiB"), ("daphne", f"length {'9' * 23!r}"), ("cheroot", f"length {'9' * 23!r}"),
    ("uwsgi", "bare CR"), ("wsgiref", "HTTP/0.9"), ("werkzeug", "HTTP/0.9"),
}  # fmt: skip
"""What a server ends the connection for, without an answer."""


def on_all(games: dict[str, bytes]) -> Callable[[Any], Any]:
    cases = [
        pytest.param(name, game, request, id=f"{name}-{game}") for name in PROGRAMS for game, request in games.items()
    ]
    return pytest.mark.parametrize(("name", "game", "request_bytes"), cases)


def played(server: Server, request: bytes, *, then_close: bool = False) -> tuple[Answered, Report]:
    server.report()
    answered = server.exchange(request, then_close=then_close)
    return answered, server.report()


@on_all(GENUINE)
def test_a_genuine_delivery_arrives_however_it_is_spelt(
    servers: Servers, name: str, game: str, request_bytes: bytes
) -> None:
    answered, report = played(servers[name], request_bytes)
    if (name, game) in UNDECODED:
        assert (answered.status, report.calls) == (UNDECODED[name, game], [])
        return
    assert (answered.status, len(report.calls)) == (200, 1), (answered, report)
    assert only_proven(report, BODY)


@on_all(FORGED)
def test_what_proves_nothing_is_refused_and_told_so(
    servers: Servers, name: str, game: str, request_bytes: bytes
) -> None:
    answered, report = played(servers[name], request_bytes)
    if (name, game) in READ_AS_GENUINE:
        assert (answered.status, len(report.calls)) == (200, 1)
        assert only_proven(report, BODY)
        return
    if (name, game) in RESOLVED:
        assert [(call["path"], call["webhook"]) for call in report.calls] == [(RESOLVED[name, game], False)]
        return
    assert report.calls == []
    if (name, game) in HUNG_UP:
        assert answered.status in {0, -1}
        return
    assert 400 <= answered.status < 500 or (answered.status in {501, 505} and not report.reasons), (answered, report)


@on_all(DOUBTFUL)
def test_what_servers_disagree_on_is_refused_or_seen_as_it_was_signed(
    servers: Servers, name: str, game: str, request_bytes: bytes
) -> None:
    assert game in DOUBTFUL
    answered, report = played(servers[name], request_bytes)
    assert only_proven(report, BODY, PART, ZIPPED)
    assert len(report.calls) <= 1
    assert answered.status == 200 if report.calls and answered.status < 400 else refused_by_server(answered), answered


@on_all(CUT)
def test_a_delivery_cut_short_is_not_run(servers: Servers, name: str, game: str, request_bytes: bytes) -> None:
    assert game in CUT
    answered, report = played(servers[name], request_bytes, then_close=True)
    assert report.calls == []
    # To a sender that has gone we say nothing; granian then says 500, also to one that is there but cannot chunk.
    silent = answered.status == 500 and report.reasons == ["client_disconnected"]
    assert refused_by_server(answered) or silent, (answered, report)


# The spelling with hyphens counts. Where a server makes one variable of both and the last line wins, that one must
# still verify, so nobody gains by it.
MERGED = {"granian-wsgi", "cheroot"}
# These join both spellings with a comma, and a signature with a comma is none.
JOINED = {"uwsgi", "wsgiref"}
TWINS = {
    "good twin alone": ([(TWIN, GOOD)], False, True),
    "good twin after evil": ([(NAME, EVIL), (TWIN, GOOD)], False, True),
    "good twin before evil": ([(TWIN, GOOD), (NAME, EVIL)], False, False),
    "evil twin after good": ([(NAME, GOOD), (TWIN, EVIL)], True, False),
    "evil twin before good": ([(TWIN, EVIL), (NAME, GOOD)], True, True),
}


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("case", TWINS)
def test_an_underscore_twin_proves_nothing_that_it_does_not_prove(servers: Servers, name: str, case: str) -> None:
    headers, apart, merged = TWINS[case]
    answered, report = played(servers[name], post(*headers))
    joined = len(headers) == 1
    accepted = merged if name in MERGED else joined if name in JOINED else apart
    assert (answered.status, len(report.calls)) == ((200, 1) if accepted else (401, 0)), report


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("headers", [[], [CHUNKED]], ids=["length", "chunked"])
def test_a_megabyte_without_a_signature_is_refused_and_the_sender_hears_it(
    servers: Servers, name: str, headers: list[tuple[str, str]]
) -> None:
    megabyte = b"a" * (1 << 20)
    body = chunked(*[megabyte[: 1 << 16]] * 16) if headers else megabyte
    for _ in range(3):
        answered, report = played(servers[name], post(*headers, body=body))
        assert (answered.status, report.calls, report.reasons) == (401, [], ["signature_missing"])


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_refused_body_is_not_taken_for_the_next_request(servers: Servers, name: str) -> None:
    server = servers[name]
    server.report()
    smuggled = b"GET /free HTTP/1.1\r\nHost: h\r\n\r\n"
    answered = server.exchange(post(body=smuggled) + post((NAME, GOOD)))
    assert answered.status == 401
    report = server.report()
    assert [call["path"] for call in report.calls] in ([], [HOOK])
    assert only_proven(report, BODY)


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_is_no_route_reaches_the_application_untouched(servers: Servers, name: str) -> None:
    request = wire("PUT", "/free", [("X-Original-URL", HOOK), ("X-Rewrite-URL", HOOK)], BODY)
    answered, report = played(servers[name], request)
    assert answered.status == 200
    assert report.calls == [
        {"method": "PUT", "path": "/free", "body": hashlib.sha256(BODY).hexdigest(), "webhook": False, "test": False}
    ]


@pytest.mark.parametrize("name", PROGRAMS)
def test_no_server_logged_an_error_of_ours(servers: Servers, name: str) -> None:
    log = servers[name].log()
    # cheroot cannot itself read a length of 23 digits, and says so at length.
    assert "Traceback" not in log.replace("Traceback", "", log.count("OverflowError: Python int")), log
    assert "hooklatch/" not in log


def test_the_corpus_is_used() -> None:
    counts = [sum(map(sendable, rows)) for rows in (SINGLE, SEQUENCES)]
    assert counts == [96, 11]
