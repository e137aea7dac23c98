"""The limit on refusals: a flood of forgeries costs its sender the benefit of the doubt, and nobody else anything."""

from __future__ import annotations

import base64
import io
import logging
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import pytest
from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa

from hooklatch import ConfigError, Delivery, Header, Provider, ratelimit
from hooklatch.errors import RateLimited
from hooklatch.providers import GITHUB, MECHANIC, PATCHWORKS_SIGNATURE
from hooklatch.public_keys import Ed25519Key
from hooklatch.ratelimit import FailureLimit
from hooklatch.refusal_log import RefusalLog
from hooklatch.testing import Answered, Request, call_asgi, call_wsgi
from hooklatch.wsgi import WebhookMiddleware
from services import RedisServer, free_port, redis_server
from worlds import NOW, Endpoint

MakeEndpoint = Callable[..., Endpoint]

SECRET = "the-secret-of-this-route"
OTHER = "another-secret-of-this-route"
HOOK = "/hooks/github"
SHOP = "https://shop.example"
SENDER = "192.0.2.1"
SMALL, LARGE = 1 << 16, 300_000

ED25519 = Provider(
    name="ed25519",
    signature=Header("x-signature"),
    signed="{body}",
    algorithm="ed25519",
    encoding="base64",
)


def routes(**more: Any) -> dict[str, Any]:
    return {HOOK: GITHUB.chain(SECRET, cors=[SHOP]), **more}


def push(body: bytes = b"{}", *, secret: str = SECRET, url: str = HOOK) -> Delivery:
    return GITHUB.sign(body, secret=secret, url=url, headers={"origin": SHOP})


def forged(number: int = 0, *, url: str = HOOK) -> Delivery:
    return push(b'{"n":%d}' % number, secret=OTHER, url=url)


def unsigned(body: bytes = b"{}", *, url: str = HOOK) -> Request:
    return Request("POST", url, {"origin": SHOP}, body)


def coming_from(made: Endpoint, peer: str | None) -> dict[str, Any]:
    if made.world == "wsgi":
        return {"REMOTE_ADDR": peer or ""}
    return {"client": (peer, 40000) if peer is not None else None}


def post(made: Endpoint, request: Delivery | Request, peer: str | None = SENDER, **overrides: Any) -> Answered:
    return made.post(request, **coming_from(made, peer), **overrides)


def via(made: Endpoint, request: Delivery | Request, forwarded: str, peer: str | None = "10.0.0.1") -> Answered:
    headers = dict(request.headers) | {"x-forwarded-for": forwarded}
    return post(made, Request(request.method, request.url, headers, request.body), peer)


def exhaust(made: Endpoint, times: int = 3, **how: Any) -> None:
    for number in range(times):
        assert post(made, forged(number), **how).status == 401


def is_limited(made: Endpoint, peer: str | None = SENDER, *, url: str = HOOK) -> bool:
    """Return whether an unsigned request of *peer* is refused with 429; it counts as a refusal if not."""
    status = post(made, unsigned(url=url), peer).status
    assert status in {401, 429}
    return status == 429


@pytest.fixture(params=["memory", "redis"])
def limit(request: pytest.FixtureRequest) -> FailureLimit:
    storage = "memory://" if request.param == "memory" else redis_server().url
    # A machine that is busy may need long for an answer.
    return FailureLimit("3/minute", storage=storage, namespace=str(uuid.uuid4()), timeout=20)


@pytest.fixture
def made(endpoint: MakeEndpoint, limit: FailureLimit) -> Endpoint:
    return endpoint(routes=routes(), limit_failures=limit)


# What is still judged


def test_after_a_thousand_forgeries_a_genuine_delivery_from_their_address_is_accepted(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes=routes(), limit_failures=FailureLimit("20/minute"))
    statuses = {post(made, forged(number)).status for number in range(1000)}
    assert statuses == {401}
    assert is_limited(made)
    assert post(made, push()).status == 200
    assert len(made.calls) == 1


def test_a_success_clears_its_address(made: Endpoint) -> None:
    exhaust(made)
    assert is_limited(made)
    assert post(made, push()).status == 200
    assert not is_limited(made)
    exhaust(made, 2)
    assert is_limited(made)


def test_an_acknowledged_duplicate_clears_nothing(made: Endpoint) -> None:
    assert post(made, push()).status == 200
    exhaust(made)
    assert post(made, push()).status == 200
    assert made.reason == "duplicate"
    assert is_limited(made)


def test_below_the_limit_nothing_is_refused_for_it(made: Endpoint) -> None:
    exhaust(made, 2)
    assert post(made, push(bytes(LARGE))).status == 200
    assert post(made, unsigned()).status == 401
    assert made.reason == "signature_missing"


def test_the_last_cheap_byte(made: Endpoint) -> None:
    exhaust(made)
    assert post(made, push(bytes(SMALL + 1))).status == 429
    assert post(made, push(bytes(SMALL))).status == 200


# What is not


def test_without_a_signature_429_says_when_to_come_again_and_pages_may_read_it(made: Endpoint) -> None:
    exhaust(made)
    answer = post(made, unsigned())
    assert (answer.status, made.reason) == (429, "rate_limited")
    assert 1 <= int(answer.header("retry-after") or 0) <= 60
    assert answer.header("access-control-allow-origin") == SHOP
    assert answer.header("cache-control") == "no-store"
    assert answer.header("www-authenticate") is None
    assert "signature_missing" in made.events[-1].detail


@pytest.mark.parametrize("signature", ["", "sha256=", "sha256=zz", "sha1=" + "0" * 40, "sha256=" + "0" * 63])
def test_a_malformed_signature_is_limited(made: Endpoint, signature: str) -> None:
    exhaust(made)
    request = Request("POST", HOOK, {"x-hub-signature-256": signature}, b"{}")
    assert (post(made, request).status, made.reason) == (429, "rate_limited")


def test_a_large_body_is_refused_unread(made: Endpoint) -> None:
    exhaust(made)
    overrides: dict[str, Any] = {"events": []} if made.world != "wsgi" else {"wsgi__input": Unreadable()}
    assert post(made, push(bytes(LARGE)), **overrides).status == 429


def test_a_body_of_undeclared_length_is_refused_unread(made: Endpoint) -> None:
    exhaust(made)
    delivery = push()
    overrides: dict[str, Any]
    if made.world == "wsgi":
        overrides = {"wsgi__input": Unreadable(), "CONTENT_LENGTH": "", "wsgi__input_terminated": True}
    else:
        lines = [(name.lower().encode(), value.encode()) for name, value in delivery.headers.items()]
        overrides = {"events": [], "headers": [line for line in lines if line[0] != b"content-length"]}
    assert (post(made, delivery, **overrides).status, made.reason) == (429, "rate_limited")
    coded = Request("POST", HOOK, {**delivery.headers, "transfer-encoding": "chunked"}, delivery.body)
    assert (post(made, coded).status, made.reason) == (429, "rate_limited")


class Unreadable(io.BytesIO):
    """A body that must not be asked for."""

    def read(self, size: int | None = -1, /) -> bytes:
        raise AssertionError


def test_a_public_key_is_not_asked(endpoint: MakeEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    accepts = Ed25519Key.accepts

    def counted(self: Ed25519Key, digest: bytes, offered: Sequence[bytes], /) -> bool:
        asked.append(offered)
        return accepts(self, digest, offered)

    monkeypatch.setattr(Ed25519Key, "accepts", counted)
    private = ECC.generate(curve="ed25519")
    chain = ED25519.chain(public_keys=private.public_key().export_key(format="PEM"))
    made = endpoint(routes={HOOK: chain}, limit_failures=FailureLimit("3/minute"))
    right = eddsa.new(private, "rfc8032").sign(b"{}")

    def send(signature: bytes) -> int:
        headers = {"x-signature": base64.b64encode(signature).decode()}
        return post(made, Request("POST", HOOK, headers, b"{}")).status

    assert [send(bytes(64)) for _ in range(3)] == [401] * 3
    assert len(asked) == 3
    assert [send(bytes(64)), send(right)] == [429, 429]
    assert len(asked) == 3


def test_a_token_is_judged(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={HOOK: PATCHWORKS_SIGNATURE.chain(SECRET)}, limit_failures=FailureLimit("3/minute"))
    for secret, expected in [(OTHER, 401)] * 5 + [(SECRET, 200)]:
        assert post(made, PATCHWORKS_SIGNATURE.sign(b"{}", secret=secret, url=HOOK)).status == expected


def test_a_signature_in_a_small_body_is_judged(endpoint: MakeEndpoint) -> None:
    form = MECHANIC.over("customer_id", signature="customer_id_signature")
    made = endpoint(routes={HOOK: form.chain(SECRET)}, limit_failures=FailureLimit("3/minute"))
    for secret, expected in [(OTHER, 401)] * 5 + [(SECRET, 200)]:
        assert post(made, form.sign({"customer_id": "7"}, secret=secret, url=HOOK)).status == expected


def test_what_comes_before_the_signature_is_answered_as_ever(made: Endpoint) -> None:
    exhaust(made)
    preflight = {"origin": SHOP, "access-control-request-method": "POST"}
    assert post(made, Request("OPTIONS", HOOK, preflight, b"")).status == 204
    assert post(made, Request("GET", HOOK, {}, b"")).status == 405
    assert post(made, Request("POST", HOOK, {"origin": "https://evil.example"}, b"")).status == 403


# What is counted


def test_other_refusals_are_not_counted(made: Endpoint) -> None:
    for _ in range(5):
        assert post(made, Request("GET", HOOK, {}, b"")).status == 405
        assert post(made, Request("POST", HOOK, {"origin": "https://evil.example"}, b"")).status == 403
    assert not is_limited(made)


def test_another_address_and_another_route_are_not_affected(endpoint: MakeEndpoint, limit: FailureLimit) -> None:
    made = endpoint(routes=routes(**{"/other/*": GITHUB.chain(SECRET)}), limit_failures=limit)
    exhaust(made)
    assert is_limited(made)
    assert not is_limited(made, "192.0.2.2")
    assert not is_limited(made, url="/other/a")
    assert not is_limited(made, url="/other/b")
    assert not is_limited(made, url="/other/c")
    assert is_limited(made, url="/other/d")


def test_one_slash_64_of_ipv6_is_one_address(made: Endpoint) -> None:
    for number in range(3):
        assert not is_limited(made, f"2001:db8:0:1::{number:x}")
    assert is_limited(made, "2001:db8:0:1:ffff::9")
    assert not is_limited(made, "2001:db8:0:2::1")


def test_ipv4_in_the_clothes_of_ipv6_is_ipv4(made: Endpoint) -> None:
    exhaust(made, peer="::ffff:192.0.2.1")
    assert is_limited(made, "192.0.2.1")
    assert not is_limited(made, "::ffff:192.0.2.2")


def test_the_window_ends(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes=routes(), limit_failures=FailureLimit("1/2 seconds"))
    assert not is_limited(made)
    assert is_limited(made)
    deadline = time.monotonic() + 20
    while is_limited(made):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_several_processes_count_together(endpoint: MakeEndpoint) -> None:
    name = str(uuid.uuid4())
    first, second = (
        endpoint(
            routes=routes(),
            limit_failures=FailureLimit("3/minute", storage=redis_server().url, namespace=name, timeout=20),
        )
        for _ in range(2)
    )
    exhaust(first)
    assert is_limited(second)
    other = FailureLimit("3/minute", storage=redis_server().url, namespace=name + "-other", timeout=20)
    assert not is_limited(endpoint(routes=routes(), limit_failures=other))


def test_it_is_off_by_default(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes=routes())
    exhaust(made, 50)
    assert not is_limited(made)


# Behind a proxy


@pytest.mark.parametrize(
    "peer",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.1.1", "::1", "fd00::1"),
        *("fe80::1", "fe80::1%eth0", "::ffff:127.0.0.1", None, "", "unix:", "testclient"),
    ],
)
def test_behind_an_unstated_proxy_it_is_off_and_says_so_once(
    endpoint: MakeEndpoint, peer: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    made = endpoint(routes=routes(), limit_failures=FailureLimit("1/minute"))
    with caplog.at_level(logging.WARNING, "hooklatch"):
        exhaust(made, 5, peer=peer)
        assert via(made, forged(), "192.0.2.9", peer).status == 401
        assert not is_limited(made, peer)
    said = [r.getMessage() for r in caplog.records if r.getMessage().startswith("limit_failures:")]
    assert len(said) == 1
    assert "trusted_proxies" in said[0]


def test_no_proxies_at_all_can_be_stated(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes=routes(), limit_failures=FailureLimit("3/minute"), trusted_proxies=0)
    exhaust(made, peer="10.0.0.1")
    assert is_limited(made, "10.0.0.1")
    assert via(made, unsigned(), "192.0.2.9", "10.0.0.1").status == 429
    assert not is_limited(made, "10.0.0.2")


@pytest.mark.parametrize("peer", ["10.0.0.1", "127.0.0.1", "203.0.113.1", None])
def test_the_entry_of_the_outermost_proxy_counts_whatever_stands_left_of_it(
    endpoint: MakeEndpoint, peer: str | None
) -> None:
    made = endpoint(routes=routes(), limit_failures=FailureLimit("3/minute"), trusted_proxies=2)
    for spoofed in ("198.51.100.1, ", "junk, 198.51.100.2,", ""):
        assert via(made, unsigned(), f"{spoofed}192.0.2.1, 203.0.113.7", peer).status == 401
    assert via(made, unsigned(), "198.51.100.3, 192.0.2.1 ,203.0.113.8", peer).status == 429
    assert via(made, unsigned(), "192.0.2.1, 192.0.2.2, 203.0.113.7", peer).status == 401
    assert via(made, unsigned(), "192.0.2.1, 198.51.100.1, 203.0.113.7", peer).status == 401


def test_entries_may_have_ports_and_several_lines(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes=routes(), limit_failures=FailureLimit("3/minute"), trusted_proxies=1)
    lines = [("x-forwarded-for", "198.51.100.1"), ("x-forwarded-for", "192.0.2.1:50001")]
    assert post(made, Request("POST", HOOK, lines, b"{}"), "10.0.0.1").status == 401
    assert via(made, unsigned(), "192.0.2.1").status == 401
    assert via(made, unsigned(), "[::ffff:192.0.2.1]:443").status == 401
    assert via(made, unsigned(), "192.0.2.1").status == 429
    assert via(made, unsigned(), "[2001:db8::1]").status == 401
    assert via(made, unsigned(), "2001:db8::2").status == 401


BAD = ["", "unknown", "_hidden", "192.0.2.1,", "192.0.2.256", "192.0.2.1 192.0.2.2", "1" * 5000, '"[2001:db8::1]"']


@pytest.mark.parametrize("forwarded", BAD)
def test_a_malformed_entry_falls_back_to_the_peer(
    endpoint: MakeEndpoint, forwarded: str, caplog: pytest.LogCaptureFixture
) -> None:
    made = endpoint(routes=routes(), limit_failures=FailureLimit("3/minute"), trusted_proxies=1)
    for _ in range(3):
        assert via(made, unsigned(), forwarded, "203.0.113.1").status == 401
    assert via(made, unsigned(), forwarded, "203.0.113.1").status == 429
    assert via(made, unsigned(), "192.0.2.1", "203.0.113.1").status == 401
    with caplog.at_level(logging.WARNING, "hooklatch"):
        for _ in range(5):
            assert via(made, unsigned(), forwarded, "10.0.0.1").status == 401
    assert sum("X-Forwarded-For" in r.getMessage() for r in caplog.records) == 1


def test_fewer_entries_than_proxies_fall_back_to_the_peer(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes=routes(), limit_failures=FailureLimit("3/minute"), trusted_proxies=3)
    for number in range(3):
        assert via(made, unsigned(), f"192.0.2.{number}, 192.0.2.9", "203.0.113.1").status == 401
    assert via(made, unsigned(), "192.0.2.7", "203.0.113.1").status == 429


# The log


def lines_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if "429" in r.getMessage() or "rate_limited" in r.getMessage()]


def test_a_flood_is_one_line_of_the_log_and_an_event_each(made: Endpoint, caplog: pytest.LogCaptureFixture) -> None:
    exhaust(made)
    before = len(made.events)
    caplog.clear()
    with caplog.at_level(logging.DEBUG, "hooklatch"):
        assert [post(made, unsigned()).status for _ in range(40)] == [429] * 40
    (line,) = lines_of(caplog)
    assert SENDER in line
    assert HOOK in line
    assert len(caplog.records) == 1
    assert [event.reason for event in made.events[before:]] == ["rate_limited"] * 40


def test_another_address_and_another_route_have_lines_of_their_own(
    endpoint: MakeEndpoint, caplog: pytest.LogCaptureFixture
) -> None:
    made = endpoint(routes=routes(**{"/else": GITHUB.chain(SECRET)}), limit_failures=FailureLimit("1/minute"))
    with caplog.at_level(logging.DEBUG, "hooklatch"):
        for peer, url in ((SENDER, HOOK), ("192.0.2.2", HOOK), (SENDER, "/else")):
            assert [post(made, unsigned(url=url), peer).status for _ in range(3)] == [401, 429, 429]
    assert len(lines_of(caplog)) == 3


def test_what_was_not_logged_is_counted_once_the_window_is_over(caplog: pytest.LogCaptureFixture) -> None:
    now = [100.0]
    log = RefusalLog(60.0, clock=lambda: now[0])
    with caplog.at_level(logging.WARNING, "hooklatch"):
        for _ in range(5):
            log.note(SENDER, HOOK, "POST", "rate_limited")
        now[0] = 159.9
        log.note("192.0.2.2", HOOK, "POST", "rate_limited")
        assert len(caplog.records) == 2
        now[0] = 160.0
        log.note("192.0.2.2", HOOK, "POST", "rate_limited")
        log.note(SENDER, HOOK, "POST", "rate_limited")
    said = [record.getMessage() for record in caplog.records[2:]]
    assert said[0] == f"limit_failures: 4 more requests of {SENDER} got 429 on {HOOK}, not logged singly"
    assert said[1].startswith("refused POST /hooks/github for 192.0.2.1: ")
    assert len(said) == 2


def test_a_window_of_one_refusal_ends_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    log = RefusalLog(1.0, clock=lambda: now[0])
    with caplog.at_level(logging.WARNING, "hooklatch"):
        for now[0] in (0.0, 5.0, 10.0):
            log.note(SENDER, HOOK, "POST", "rate_limited")
    assert [record.getMessage().split()[0] for record in caplog.records] == ["refused"] * 3


def test_the_addresses_that_the_log_remembers_are_bounded(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("hooklatch.refusal_log.MOST", 3)
    log = RefusalLog(60.0)
    with caplog.at_level(logging.WARNING, "hooklatch"):
        for number in (1, 1, 2, 3, 4, 1):
            log.note(f"192.0.2.{number}", HOOK, "POST", "rate_limited")
    assert [record.getMessage().split()[0] for record in caplog.records] == [
        *["refused"] * 3,
        "limit_failures:",
        *["refused"] * 2,
    ]


def test_a_verifier_of_ones_own_that_limits_is_logged_each_time(
    endpoint: MakeEndpoint, caplog: pytest.LogCaptureFixture
) -> None:
    class Closed:
        def open(self, head: Any, facts: Any) -> None:
            raise RateLimited

    made = endpoint(routes={HOOK: GITHUB.chain(SECRET, extra=[Closed()])})
    with caplog.at_level(logging.DEBUG, "hooklatch"):
        assert [made.post(push()).status for _ in range(2)] == [429, 429]
    assert len(lines_of(caplog)) == 2


# When the storage fails


def test_a_storage_that_is_down_refuses_nobody(endpoint: MakeEndpoint, caplog: pytest.LogCaptureFixture) -> None:
    limit = FailureLimit("1/minute", storage=f"redis://user:hunter2@127.0.0.1:{free_port()}/0")
    made = endpoint(routes=routes(), limit_failures=limit)
    with caplog.at_level(logging.DEBUG):
        exhaust(made, 5)
        assert post(made, push(bytes(LARGE))).status == 200
        assert not is_limited(made)
    said = [r.getMessage() for r in caplog.records if r.getMessage().startswith("limit_failures:")]
    assert said == ["limit_failures: the storage failed (ConnectionError), meanwhile nobody is limited"]
    assert "hunter2" not in caplog.text


def test_it_is_said_again_after_a_minute(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    now = [time.monotonic()]
    monkeypatch.setattr(ratelimit, "time", Time(now))
    limit = FailureLimit("1/minute", storage=f"redis://127.0.0.1:{free_port()}/0")
    with caplog.at_level(logging.ERROR, "hooklatch"):
        for _ in range(25):
            limit.hit(limit.key(SENDER, HOOK))
            now[0] += 5
    assert len(caplog.records) == 3


class Time:
    """Stands in for the module."""

    def __init__(self, now: list[float]) -> None:
        self.now = now

    def monotonic(self) -> float:
        return self.now[0]


def test_a_storage_that_comes_back_counts_again(endpoint: MakeEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ratelimit, "REST", 0.0)
    server = RedisServer()
    made = endpoint(routes=routes(), limit_failures=FailureLimit("3/minute", storage=server.url, timeout=20))
    exhaust(made)
    assert is_limited(made)
    server.kill()
    assert not is_limited(made)
    assert post(made, push(bytes(LARGE))).status == 200
    server.start()
    exhaust(made)
    assert is_limited(made)
    server.kill()


@pytest.fixture
def hung() -> Iterator[str]:
    server = RedisServer()
    server.hang()
    yield server.url
    server.kill()


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_a_hung_storage_holds_neither_the_loop_up_nor_every_request(hung: str, loop: str) -> None:
    from hooklatch.asgi import WebhookMiddleware as ASGIWebhookMiddleware

    made = Endpoint(loop)
    app = ASGIWebhookMiddleware(
        made.asgi, routes=routes(), clock=made.clock, limit_failures=FailureLimit("3/minute", storage=hung, timeout=2)
    )
    gaps: list[float] = []

    async def tick() -> None:
        while True:
            began = time.monotonic()
            await anyio.sleep(0.01)
            gaps.append(time.monotonic() - began)

    async def scenario() -> None:
        with anyio.fail_after(30):
            async with anyio.create_task_group() as group:
                group.start_soon(tick)
                assert (await call_asgi(app, push())).status == 200
                began = time.monotonic()
                assert (await call_asgi(app, forged())).status == 401
                assert time.monotonic() - began < 0.9
                group.cancel_scope.cancel()

    anyio.run(scenario, backend=loop)
    assert len(gaps) > 10
    assert max(gaps) < 0.9


def test_a_delivery_that_ends_while_its_address_is_cleared_can_come_again(
    endpoint: MakeEndpoint, limit: FailureLimit, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = endpoint(routes=routes(), limit_failures=limit)
    exhaust(made)

    def stop(key: str) -> None:
        raise StopHere

    with monkeypatch.context() as patched:
        patched.setattr(limit, "clear", stop)
        with pytest.raises(StopHere):
            post(made, push())
    assert made.calls == []
    assert post(made, push()).status == 200
    assert len(made.calls) == 1


class StopHere(BaseException):
    """What ends a request from outside."""


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(ratelimit, "MOST", 2)
    limit = FailureLimit("1/minute")
    with caplog.at_level(logging.ERROR, "hooklatch"):
        for number in range(10):
            limit.hit(limit.key(f"192.0.2.{number}", HOOK))
            limit.hit(limit.key("192.0.2.0", HOOK))
    assert [limit.look(limit.key(f"192.0.2.{n}", HOOK)).refusals for n in range(3)] == [11, 1, 0]
    assert len(caplog.records) == 1


# Configuration


@pytest.mark.parametrize("text", ["", "20", "twenty/minute", "0/minute", "1/second;5/minute", "20/blink", 20])
def test_what_is_no_limit(text: Any) -> None:
    with pytest.raises(ConfigError, match="FailureLimit"):
        FailureLimit(text)


@pytest.mark.parametrize(
    "url",
    ["", "memory", "memory://x", "memcached://localhost", "async+redis://localhost", "redis://:hunter2@host:port", 7],
)
def test_what_is_no_storage(url: Any) -> None:
    with pytest.raises(ConfigError) as refused:
        FailureLimit("20/minute", storage=url)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), True, "1"])
def test_what_is_no_timeout(timeout: Any) -> None:
    with pytest.raises(ConfigError, match="timeout"):
        FailureLimit("20/minute", storage="redis://localhost", timeout=timeout)


@pytest.mark.parametrize(
    "settings",
    [{"limit_failures": "20/minute"}, *({"trusted_proxies": bad} for bad in (-1, True, "1", ["10.0.0.0/8"], 1.0))],
)
def test_what_are_no_settings(endpoint: MakeEndpoint, settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(settings))):
        endpoint(routes=routes(), **settings)


def test_the_library_is_asked_for_by_name() -> None:
    code = (
        "import sys; sys.modules['limits'] = None; from hooklatch.ratelimit import FailureLimit; FailureLimit('1/day')"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert "ConfigError" in done.stderr
    assert "hooklatch[ratelimit]" in done.stderr


def test_threads_share_one_count() -> None:
    made = Endpoint("wsgi")
    made.app = WebhookMiddleware(
        made.wsgi, routes=routes(), clock=lambda: NOW, limit_failures=FailureLimit("64/minute")
    )

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda number: call_wsgi(made.app, forged(number)), range(64)))
    assert {answer.status for answer in answers} == {401}
    assert call_wsgi(made.app, unsigned()).status == 429
