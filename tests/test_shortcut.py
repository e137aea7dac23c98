"""The short way and the flow are one judgement: whatever comes, both say the same, of every sender, in both worlds."""

from __future__ import annotations

import io
import re
import socket
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import anyio
import pytest

from hooklatch import providers
from hooklatch.chain import Chain
from hooklatch.errors import SignatureMismatch
from hooklatch.fields import Header, Query
from hooklatch.provider import Provider
from hooklatch.ratelimit import FailureLimit
from hooklatch.secrets import Secret
from hooklatch.stores import MemoryStore, as_async
from hooklatch.testing import Request, asgi_scope, call_asgi, call_wsgi
from hooklatch.verifiers import Overrides
from hooklatch.verifiers.overrides import HEADERS
from hooklatch.wsgi import WebhookMiddleware
from hooklatch.wsgi_incoming import environ_key
from samples import SECRET, SIGNING, sample
from worlds import NOW, Endpoint, make_endpoint, without_extension, world_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hooklatch.observe import Event
    from hooklatch.types import Delivery, Flow, Head, Webhook

LONGEST = 1 << 16


def chain_of(name: str, **options: Any) -> Chain:
    needs = sample(name)
    return providers.provider(name).chain(needs.secret, **{**needs.options, **options})


def has_way(chain: Chain) -> bool:
    return chain.shortcut(environ_key, LONGEST) is not None


ORDINARY = [name for name in SIGNING if has_way(chain_of(name))]


def delivered(name: str, body: bytes | None = None) -> Delivery:
    needs = sample(name)
    body = needs.body if body is None else body
    return providers.provider(name).sign(body, secret=needs.secret, at=NOW, url=needs.url)


class Outcome(NamedTuple):
    """Everything that a request led to."""

    answer: object
    event: Event
    seen: tuple[object, ...]


def both(world: str, chain: Chain, route: str) -> tuple[Endpoint, Endpoint]:
    """Return two endpoints of one chain: one with its short way, one without."""
    short, long = (make_endpoint(world, routes={route: chain}, store=MemoryStore()) for _ in range(2))
    assert short.app._ways
    long.app._ways = {}
    return short, long


def told(webhook: Webhook | None) -> tuple[object, ...]:
    if webhook is None:
        return ()
    claim = webhook.claim and webhook.claim._replace(token=b"")
    names = [name for name in webhook.__dataclass_fields__ if name not in {"claim", "captured"}]
    return (*(getattr(webhook, name) for name in names), claim, webhook.body)


def outcomes(endpoint: Endpoint, requests: list[Request]) -> list[Outcome]:
    """Return what each of the *requests* leads to, in turn."""
    answers: list[object] = []
    if endpoint.world == "wsgi":
        calls = []
        for request in requests:
            answers.append(call_wsgi(endpoint.app, request))
            calls.append(len(endpoint.calls))
    else:
        calls = []

        async def all_of_them() -> None:
            for request in requests:
                with anyio.fail_after(20):
                    answers.append(await call_asgi(endpoint.app, request))
                calls.append(len(endpoint.calls))

        anyio.run(all_of_them, backend=endpoint.world)
    found = []
    before = 0
    for answer, event, after in zip(answers, endpoint.events, calls, strict=True):
        seen = tuple((call.body, call.path, *told(call.webhook)) for call in endpoint.calls[before:after])
        found.append(Outcome(answer, event, seen))
        before = after
    return found


def agree(world: str, chain: Chain, route: str, requests: list[Request]) -> list[Outcome]:
    """Demand that both ways judge the *requests* alike; return how."""
    short, long = both(world, chain, route)
    found, expected = outcomes(short, requests), outcomes(long, requests)
    for request, one, other in zip(requests, found, expected, strict=True):
        assert one == other, request
    return found


def oddities(value: str) -> Iterator[str]:
    """Yield what else could stand where *value* stands."""
    yield from (
        "",
        " ",
        value + " ",
        " " + value,
        "\t" + value,
        value + "x",
        value[:-1],
        value[1:],
        value + "é",
        "\x00",
    )
    yield from (value.upper(), value.lower(), value.swapcase(), f"{value}, {value}", f"{value},{value}", value * 300)
    yield from (f"{value},v0=00", f"v0=00,{value}", f"{value} v1,AAAA", f"v1a,AAAA {value}", f"{value};h1=00")
    for separator in ",; ":
        parts = value.split(separator)
        if len(parts) > 1:
            yield separator.join(reversed(parts))
            yield f"{separator} ".join(parts)
            yield separator.join([*parts, parts[0]])
            yield separator.join([*parts, parts[-1]])
            yield separator.join(parts[1:])
            yield separator.join(parts[:-1])
    for found in re.finditer(r"\d{9,}", value):
        digits, start, end = found[0], *found.span()
        for text in (
            f"0{digits}",
            f"+{digits}",
            f"{digits[:-1]}",
            f"{digits}0",
            f"{digits}.0",
            "\xb2" * 10,
            "nan",
            "-1",
        ):
            yield value[:start] + text + value[end:]
        for step in (-86_400, -600, -301, -300, -299, -61, -60, -1, 1, 4, 5, 6, 300, 301, 600, 86_400):
            shift = step * (1000 if len(digits) > 11 else 1)
            yield value[:start] + str(int(digits) + shift) + value[end:]


def requests_like(delivery: Delivery) -> list[Request]:
    """Return *delivery* and whatever is a little different from it."""
    method, url, headers, body = delivery
    lines = list(headers.items())
    made = [Request(method, url, lines, body)] * 2
    made += [Request(method, url, lines[:at] + lines[at + 1 :], body) for at in range(len(lines))]
    for at, (name, value) in enumerate(lines):
        for odd in oddities(value):
            made.append(Request(method, url, [*lines[:at], (name, odd), *lines[at + 1 :]], body))
        made.append(Request(method, url, [*lines, (name, value)], body))
        made.append(Request(method, url, [*lines[:at], (name.upper(), value), *lines[at + 1 :]], body))
    made += [Request(method, url, [*lines, (name, "GET")], body) for name in sorted(HEADERS)]
    made += [Request(method, url, [*lines, ("transfer-encoding", text)], body) for text in ("chunked", "gzip", "")]
    made += [Request(method, url, [*lines, ("content-type", text)], body) for text in ("text/plain", "a/b; c=d")]
    made += [Request(other, url, lines, body) for other in ("GET", "post", "PUT", "")]
    made += [Request(method, url, lines, other) for other in (b"", body + b" ", body[:-1], body * 2)]
    made += [Request(method, f"{url}?a=b", lines, body), Request(method, url, [], body)]
    for length in ("", "0", "007", f"0{len(body)}", f"+{len(body)}", "-1", "9" * 7, "9" * 25, str(len(body) + 1)):
        made.append(Request(method, url, [*lines, ("content-length", length)], body))
    return made


@pytest.fixture(autouse=True)
def _one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the memory remember every delivery since the same second."""
    monkeypatch.setattr("hooklatch.stores.memory.time.time", lambda: NOW)


@pytest.mark.parametrize("world", world_names())
@pytest.mark.parametrize("name", ORDINARY)
def test_whatever_is_a_little_different_from_a_genuine_delivery_is_judged_alike_by_both_ways(
    world: str, name: str
) -> None:
    found = agree(world, chain_of(name), sample(name).url, requests_like(delivered(name)))
    reasons = {outcome.event.reason for outcome in found}
    assert found[0].event.outcome == "accepted"
    assert {"signature_mismatch", "method_not_allowed", "request_ambiguous"} <= reasons


def test_most_senders_have_a_short_way() -> None:
    assert len(ORDINARY) > 100
    assert {"github", "stripe", "slack", "shopify", "standard_webhooks", "momento", "speckle", "patchworks"} <= {
        *ORDINARY
    }


@pytest.mark.parametrize("world", world_names())
@pytest.mark.parametrize("name", ORDINARY)
def test_a_genuine_delivery_takes_the_short_way(world: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = make_endpoint(world, routes={sample(name).url: chain_of(name)})
    monkeypatch.setattr(Chain, "flow", _never)
    assert endpoint.post(delivered(name)).status == 200
    assert endpoint.last.provider == name
    assert endpoint.last.body == delivered(name).body


def _never(chain: Chain, head: Head) -> Flow:
    raise AssertionError((chain, head))


STRIPE = providers.STRIPE.using(id=None)
ROUTE = "/hooks/stripe"


def signed(body: bytes, secret: str = SECRET, **headers: str) -> Delivery:
    return STRIPE.sign(body, secret=secret, at=NOW, url=ROUTE, headers=headers)


def mine(signature: Any, signed: str = "{body}", **facts: Any) -> Chain:
    record = Provider(name="mine", signature=signature, algorithm="hmac-sha256", signed=signed, **facts)
    return record.chain(SECRET)


NO_WAY: dict[str, Chain] = {
    "the time stands in the query": mine(Header("x-s"), "{timestamp}.{body}", timestamp=Query("at"), max_age=60),
    "the signature stands in the query": mine(Query("signature")),
    "a signature may stand in two places": mine([Header("x-one"), Header("x-two")]),
    "a token is shown": providers.provider("telegram").chain(SECRET),
    "the method is signed": mine(Header("x-s"), "{method}.{body}"),
    "a digest of the body is signed": mine(Header("x-s"), "{body:sha256}"),
    "a date, which has commas, shares the header of the signature": mine(
        Header("x-s", part="v1"),
        "{timestamp}.{body}",
        timestamp=Header("x-s", part="t"),
        timestamp_unit="http",
        max_age=60,
    ),
    "a signature could contain what ends it": mine(Header("x-s", part="v1", separator="a")),
    "a callable finds the secrets": STRIPE.chain(lambda _: SECRET),
    "a browser posts": STRIPE.chain(SECRET, cors=["https://example.com"]),
    "a rule of one's own is asked": STRIPE.chain(SECRET, extra=[Overrides()]),
}


@pytest.mark.parametrize("why", NO_WAY)
def test_there_is_no_short_way_where(why: str) -> None:
    assert not has_way(NO_WAY[why])


def test_there_is_no_short_way_for_a_hash_in_pure_python_which_must_wait_its_turn() -> None:
    with without_extension():
        assert not has_way(providers.PATCHWORKS.using(algorithm="hmac-ripemd128").chain(SECRET))


def test_a_limit_of_refusals_sees_every_request() -> None:
    limited = make_endpoint("wsgi", routes={ROUTE: STRIPE.chain(SECRET)}, limit_failures=FailureLimit("5/minute"))
    assert limited.app._ways == {}


@pytest.mark.parametrize("world", world_names())
def test_secrets_that_rotate_expire_or_sign_tests_are_told_apart_alike(world: str) -> None:
    then = datetime.fromtimestamp(NOW, UTC)
    old, new, gone, test = (f"a secret of the year {year}" for year in (2022, 2023, 2021, 2024))
    secrets = [
        Secret(new),
        Secret(old, not_after=then + timedelta(days=1)),
        Secret(gone, not_after=then),
        Secret(test, test=True),
    ]
    options: list[Any] = [{}, {"on_test": "mark"}, {"test_agents": ["Tester*"]}, {"on_duplicate": "run"}]
    for option in options:
        requests = [
            Request(*signed(b"%d" % number, secret, **headers))
            for number, secret in enumerate((new, old, gone, test, SECRET))
            for headers in ({}, {"user-agent": "Tester/1"}, {"user-agent": "other"})
        ]
        found = agree(world, STRIPE.chain(secrets, **option), ROUTE, requests)
        assert {outcome.event.outcome for outcome in found} >= {"accepted", "refused"}
    only = STRIPE.chain([Secret(gone, not_after=then)])
    assert agree(world, only, ROUTE, [Request(*signed(b"{}"))])[0].event.reason == "secret_unavailable"


@pytest.mark.parametrize("world", world_names())
@pytest.mark.parametrize(
    "size", [0, 1, 4095, 4096, 4097, 65_536, 100_000, 131_072, 131_073, 262_144, 262_145, 1_000_000]
)
@pytest.mark.parametrize("threshold", [0, 4096, 1 << 20])
def test_bodies_of_every_size_arrive_whole_by_either_way(world: str, size: int, threshold: int) -> None:
    delivery = signed(b"x" * size)
    for chain in (STRIPE.chain(SECRET, max_body=900_000), STRIPE.chain(SECRET, max_body=900_000, on_duplicate="run")):
        endpoint = make_endpoint(world, routes={ROUTE: chain}, spool_threshold=threshold)
        assert endpoint.post(delivery).status == (200 if size <= 900_000 else 413)
        if size <= 900_000:
            assert endpoint.calls[-1].body == delivery.body
            assert endpoint.post(delivery._replace(body=b"y" * size + b"y" * (not size))).status == 401


def message(body: bytes = b"", **more: Any) -> dict[str, Any]:
    return {"type": "http.request", "body": body, **more}


BODY = b'{"id":"evt_1"}'
EVENTS: dict[str, list[dict[str, Any]]] = {
    "whole": [message(BODY)],
    "whole, and no more": [message(BODY, more_body=False)],
    "whole, then nothing": [message(BODY, more_body=True), message()],
    "nothing, then whole": [message(more_body=True), message(BODY)],
    "two halves": [message(BODY[:5], more_body=True), message(BODY[5:])],
    "every byte": [*(message(BODY[at : at + 1], more_body=True) for at in range(len(BODY))), message()],
    "without a key for the body": [{"type": "http.request", "more_body": True}, message(BODY)],
    "too short": [message(BODY[:-1])],
    "too long": [message(BODY + b" ")],
    "gone": [{"type": "http.disconnect"}],
    "gone half way": [message(BODY[:5], more_body=True), {"type": "http.disconnect"}],
    "another": [message(BODY[::-1])],
}


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("how", EVENTS)
def test_however_the_messages_come_they_are_judged_alike(backend: str, how: str) -> None:
    for chain in (STRIPE.chain(SECRET), STRIPE.chain(SECRET, on_duplicate="run")):
        found = []
        for endpoint in both(backend, chain, ROUTE):
            call = partial(call_asgi, endpoint.app, signed(BODY), events=EVENTS[how])
            answer = anyio.run(call, backend=backend)
            found.append((answer, endpoint.events, [(seen.body, told(seen.webhook)) for seen in endpoint.calls]))
        assert found[0] == found[1]


HEADERS_OF_SERVERS: dict[str, Callable[[list[tuple[bytes, bytes]]], object]] = {
    "a tuple": tuple,
    "lists": lambda lines: [list(line) for line in lines],
    "an iterator": iter,
    "text": lambda lines: [(name.decode(), value) for name, value in lines],
    "none at all": lambda _: [],
}


@pytest.mark.parametrize("how", HEADERS_OF_SERVERS)
def test_however_a_server_hands_over_header_lines_they_are_judged_alike(how: str) -> None:
    found = []
    for endpoint in both("asyncio", STRIPE.chain(SECRET), ROUTE):
        lines = HEADERS_OF_SERVERS[how](asgi_scope(signed(BODY))["headers"])
        answer = anyio.run(partial(call_asgi, endpoint.app, signed(BODY), headers=lines))
        found.append((answer, endpoint.events, [(seen.body, told(seen.webhook)) for seen in endpoint.calls]))
    assert found[0] == found[1]


def test_the_application_finds_the_length_as_it_is_and_not_as_it_was_written() -> None:
    lengths = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        lengths.append(environ["CONTENT_LENGTH"])
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b""]

    latch = WebhookMiddleware(app, routes={ROUTE: STRIPE.chain(SECRET)}, clock=lambda: NOW)
    assert latch._ways
    assert call_wsgi(latch, signed(BODY), CONTENT_LENGTH=f"00{len(BODY)}").status == 200
    assert lengths == [str(len(BODY))]


class Input:
    """What a server reads the body from, as *how* says."""

    def __init__(self, body: bytes, how: str) -> None:
        self.body = io.BytesIO(body)
        self.how = how

    def read(self, size: int) -> bytes:
        match self.how:
            case "one byte at a time":
                return self.body.read(min(size, 1))
            case "fails":
                raise OSError
            case "fails half way":
                if self.body.tell():
                    raise OSError
                return self.body.read(3)
            case "times out":
                raise TimeoutError
            case "ends half way":
                return self.body.read(3) if not self.body.tell() else b""
            case "late":
                time.sleep(0.02)
        return self.body.read(size)


@pytest.mark.parametrize("gunicorn", [False, True])
@pytest.mark.parametrize(
    "how", ["plain", "one byte at a time", "fails", "fails half way", "times out", "ends half way", "late"]
)
def test_however_the_server_reads_it_is_judged_alike(how: str, *, gunicorn: bool) -> None:
    for chain in (STRIPE.chain(SECRET, body_timeout=0.01), STRIPE.chain(SECRET, on_duplicate="run", body_timeout=0.01)):
        found = []
        for endpoint in both("wsgi", chain, ROUTE):
            given = Input(BODY, how)
            extra: dict[str, Any] = {"gunicorn__socket": socket.socket()} if gunicorn else {}
            answer = call_wsgi(endpoint.app, signed(BODY), wsgi__input=given, **extra)
            seen = [(call.body, told(call.webhook)) for call in endpoint.calls]
            found.append((answer, endpoint.events, seen, given.body.tell()))
            for line in extra.values():
                line.close()
        assert found[0] == found[1]


@pytest.mark.parametrize("gunicorn", [False, True])
def test_what_is_refused_unread_is_drained_where_a_server_needs_it(*, gunicorn: bool) -> None:
    for endpoint in both("wsgi", STRIPE.chain(SECRET), ROUTE):
        given = Input(BODY, "plain")
        extra: dict[str, Any] = {"gunicorn__socket": socket.socket()} if gunicorn else {}
        assert call_wsgi(endpoint.app, Request("POST", ROUTE, [], BODY), wsgi__input=given, **extra).status == 401
        assert given.body.tell() == (len(BODY) if gunicorn else 0)
        for line in extra.values():
            line.close()


@pytest.mark.parametrize("world", world_names())
def test_an_answer_that_the_application_raises_is_its_own_affair(world: str) -> None:
    for chain in (STRIPE.chain(SECRET), STRIPE.chain(SECRET, on_duplicate="run")):
        for endpoint in both(world, chain, ROUTE):
            endpoint.during = _raise
            with pytest.raises(SignatureMismatch):
                endpoint.post(signed(BODY))


def _raise() -> None:
    raise SignatureMismatch


@pytest.mark.parametrize("world", world_names())
def test_a_store_that_is_down_is_answered_alike(world: str) -> None:
    answers = []
    for endpoint in both(world, STRIPE.chain(SECRET), ROUTE):
        full = MemoryStore(limit=1)
        endpoint.app.store = full if world == "wsgi" else as_async(full)
        assert endpoint.post(signed(b"1")).status == 200
        answers.append((endpoint.post(signed(b"2")), endpoint.reason))
    assert answers[0] == answers[1]
    assert answers[0][1] == "store_unavailable"
