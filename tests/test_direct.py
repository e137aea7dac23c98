"""Judgement without middleware: ``verify`` and ``receive``, plain and awaited, say the same."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import anyio
import pytest

from hooklatch import Acknowledged, Answer, Chain, Delivery, Header, NotProven, Provider, Query, Rejected, Webhook
from hooklatch.errors import (
    BodyTooLarge,
    Diverted,
    Duplicate,
    DuplicateAltered,
    DuplicateInFlight,
    MethodNotAllowed,
    SecretUnavailable,
    SignatureMismatch,
    SignatureMissing,
    StoreUnavailable,
    TimestampExpired,
    TimestampInFuture,
)
from hooklatch.providers import GITHUB, MECHANIC, MOMENTO, PATCHWORKS, PATCHWORKS_SIGNATURE, STRIPE, SVIX
from hooklatch.stores import MemoryStore
from hooklatch.types import Claim, Standing
from worlds import NOW, ApplicationError, Endpoint

MakeEndpoint = Callable[..., Endpoint]

SECRET = "the-secret-of-this-route"
OTHER = "another-secret-of-this-route"
WHSEC = "whsec_" + base64.b64encode(b"twenty-four bytes of key").decode()
CHAIN = GITHUB.chain(SECRET)
WORLDS = ["plain", "asyncio", "trio"]


def push(body: bytes = b"{}", *, secret: str = SECRET, url: str = "/") -> Delivery:
    return GITHUB.sign(body, secret=secret, url=url, headers={"x-github-event": "push"})


def parts(delivery: Delivery) -> dict[str, Any]:
    return delivery._asdict()


def in_loop(world: str, scenario: Callable[[], Awaitable[Any]]) -> Any:
    async def bounded() -> Any:
        with anyio.fail_after(20):
            return await scenario()

    return anyio.run(bounded, backend=world)


@pytest.fixture(params=WORLDS)
def verify(request: pytest.FixtureRequest) -> Callable[..., Webhook]:
    """Return ``verify``, or ``averify`` on an event loop, as a function of a chain."""

    def call(chain: Chain, **given: Any) -> Webhook:
        if request.param == "plain":
            return chain.verify(**given)
        found: Webhook = in_loop(request.param, lambda: chain.averify(**given))
        return found

    return call


@pytest.fixture(params=WORLDS)
def receive(request: pytest.FixtureRequest) -> Callable[..., Webhook]:
    """Return ``receive``, or ``areceive`` on an event loop, as a function that runs *work* inside the block."""

    def call(chain: Chain, *, work: Callable[[Webhook], object] = lambda _webhook: None, **given: Any) -> Webhook:
        if request.param == "plain":
            with chain.receive(**given) as webhook:
                work(webhook)
            return webhook

        async def block() -> Webhook:
            async with chain.areceive(**given) as webhook:
                work(webhook)
            return webhook

        found: Webhook = in_loop(request.param, block)
        return found

    return call


def failing(_webhook: Webhook) -> None:
    raise ApplicationError


# verify


def test_a_proven_delivery_is_returned(verify: Callable[..., Webhook]) -> None:
    webhook = verify(CHAIN, **parts(push(b'{"a":1}')), now=NOW)
    assert (webhook.provider, webhook.body, webhook.json(), webhook.received_at) == (
        "github",
        b'{"a":1}',
        {"a": 1},
        NOW,
    )
    assert (webhook.route, webhook.duplicates, webhook.key_index) == ("", "unchecked", 0)
    assert webhook.open().read() == b'{"a":1}'
    assert webhook.unsigned["event_type"] == "push"


def test_verifying_remembers_nothing(verify: Callable[..., Webhook]) -> None:
    assert [verify(CHAIN, **parts(push())).body for _ in range(3)] == [b"{}"] * 3


@pytest.mark.parametrize("body", ["{}", bytearray(b"{}"), memoryview(b"{}"), None, 7], ids=lambda b: type(b).__name__)
def test_a_body_that_is_no_bytes_is_a_type_error(verify: Callable[..., Webhook], body: object) -> None:
    with pytest.raises(TypeError, match="bytes"):
        verify(CHAIN, **{**parts(push()), "body": body})


@pytest.mark.parametrize("body", ["{}", bytearray(b"{}"), None], ids=lambda b: type(b).__name__)
def test_a_received_body_that_is_no_bytes_is_a_type_error(receive: Callable[..., Webhook], body: object) -> None:
    with pytest.raises(TypeError, match="bytes"):
        receive(CHAIN, **{**parts(push()), "body": body}, store=MemoryStore())


@pytest.mark.parametrize(
    "shape",
    [
        dict,
        lambda headers: {name.upper(): value for name, value in headers.items()},
        lambda headers: {name.title(): f" {value}\t" for name, value in headers.items()},
        lambda headers: list(headers.items()),
        lambda headers: tuple((name.upper(), value) for name, value in headers.items()),
        lambda headers: iter(headers.items()),
    ],
    ids=["mapping", "upper case", "blanks", "list of pairs", "tuple of pairs", "iterator"],
)
def test_headers_may_be_a_mapping_or_pairs_in_any_case(
    verify: Callable[..., Webhook], shape: Callable[[Mapping[str, str]], Any]
) -> None:
    assert verify(CHAIN, **{**parts(push()), "headers": shape(push().headers)}).key_index == 0


@pytest.mark.parametrize(
    "headers", [{"x-hub-signature-256": b"sha256="}, [(b"x", "y")], {"x": None}, [("x", 7)]], ids=repr
)
def test_headers_that_are_no_text_are_a_type_error(verify: Callable[..., Webhook], headers: Any) -> None:
    with pytest.raises(TypeError, match="text"):
        verify(CHAIN, headers=headers, body=b"{}")


def test_a_repeated_signature_is_refused_also_among_pairs(verify: Callable[..., Webhook]) -> None:
    twice = [*push().headers.items(), *push().headers.items()]
    with pytest.raises(Rejected, match="header_duplicated"):
        verify(CHAIN, headers=twice, body=b"{}")


@pytest.mark.parametrize(
    ("given", "answer", "status"),
    [
        (parts(push(secret=OTHER)), SignatureMismatch, 401),
        ({"headers": {}, "body": b"{}"}, SignatureMissing, 401),
        ({**parts(push()), "body": b"{} "}, SignatureMismatch, 401),
        ({**parts(push()), "method": "GET"}, MethodNotAllowed, 405),
        ({**parts(push()), "body": bytes(33)}, BodyTooLarge, 413),
    ],
    ids=["forged", "unsigned", "altered", "method", "too large"],
)
def test_a_refusal_is_raised_as_it_would_be_answered(
    verify: Callable[..., Webhook], given: Any, answer: type[Rejected], status: int
) -> None:
    with pytest.raises(answer) as caught:
        verify(GITHUB.chain(SECRET, max_body=32), **given)
    assert caught.value.status == status
    assert ("cache-control", "no-store") in caught.value.headers


def test_the_status_a_sender_documents_is_raised(verify: Callable[..., Webhook]) -> None:
    forged = MOMENTO.sign({"a": 1}, secret=OTHER, at=NOW)
    with pytest.raises(SignatureMismatch) as caught:
        verify(MOMENTO.chain(SECRET), **parts(forged), now=NOW)
    assert caught.value.status == 403


@pytest.mark.parametrize(
    ("moment", "answer"), [(NOW - 301, TimestampExpired), (NOW + 301, TimestampInFuture)], ids=["old", "early"]
)
def test_now_decides_the_age(verify: Callable[..., Webhook], moment: float, answer: type[Answer]) -> None:
    delivery = SVIX.sign(b"{}", secret=WHSEC, id="evt_1", at=moment)
    with pytest.raises(answer):
        verify(SVIX.chain(WHSEC), **parts(delivery), now=NOW)
    webhook = verify(SVIX.chain(WHSEC), **parts(delivery), now=moment + 7)
    assert (webhook.timestamp, webhook.age, webhook.id) == (moment, 7, "evt_1")


def test_without_now_our_clock_decides_the_age(verify: Callable[..., Webhook]) -> None:
    fresh = SVIX.sign(b"{}", secret=WHSEC)
    assert abs(verify(SVIX.chain(WHSEC), **parts(fresh)).age or 0) < 60
    with pytest.raises(TimestampExpired):
        verify(SVIX.chain(WHSEC), **parts(SVIX.sign(b"{}", secret=WHSEC, at=NOW)))


@pytest.mark.parametrize(
    "url", ["/hook?patchworks_signature={}", "https://example.com/hook?a=1&patchworks_signature={}#x"]
)
def test_a_signature_in_the_query_is_read_from_the_url(verify: Callable[..., Webhook], url: str) -> None:
    chain = PATCHWORKS_SIGNATURE.chain(SECRET)
    webhook = verify(chain, headers={}, body=b"{}", url=url.format(SECRET))
    assert (webhook.path, webhook.coverage) == ("/hook", "caller")
    with pytest.raises(SignatureMismatch):
        verify(chain, headers={}, body=b"{}", url=url.format(OTHER))


SIGNS_ALL = Provider(
    name="signs-all",
    signature=Header("x-signature"),
    id=Query("id"),
    signed="{id} {method} {path} {query} {body:sha256}",
)


def test_method_path_and_query_are_judged_as_given(verify: Callable[..., Webhook]) -> None:
    delivery = SIGNS_ALL.sign(b"{}", secret=SECRET, id="7", method="POST", url="/a%20b/c?x=%41")
    chain = SIGNS_ALL.chain(SECRET, methods=["POST", "PUT"])
    webhook = verify(chain, **parts(delivery))
    assert (webhook.path, webhook.id, webhook.method) == ("/a b/c", "7", "POST")
    for change in ({"method": "PUT"}, {"url": "/a%20b/d?x=%41&id=7"}, {"url": "/a%20b/c?x=A&id=7"}):
        with pytest.raises(SignatureMismatch):
            verify(chain, **{**parts(delivery), **change})


@pytest.mark.parametrize(
    "url",
    [
        "",
        "?",
        "#",
        "*",
        "//",
        "//[",
        "http://[",
        "//[::1",
        "http://a:b/",
        "/%",
        "/%zz",
        "/%ff",
        "/€",
        "/\x00",
        "/a\nb",
        "\\",
    ],
    ids=repr,
)
def test_no_url_raises_anything_but_an_answer(verify: Callable[..., Webhook], url: str) -> None:
    with pytest.raises(SignatureMismatch):
        verify(CHAIN, **{**parts(push(secret=OTHER)), "url": url})


@pytest.mark.parametrize(
    "value", ["", "\x00", "sha256=", "sha256=é", "sha256=€", "sha256=" + "\ud800", "x" * 9000], ids=ascii
)
def test_no_header_value_raises_anything_but_an_answer(verify: Callable[..., Webhook], value: str) -> None:
    with pytest.raises(Rejected):
        verify(CHAIN, headers={"x-hub-signature-256": value}, body=b"{}")


def test_test_traffic_is_raised_and_not_returned(verify: Callable[..., Webhook]) -> None:
    delivery = MOMENTO.sign({"a": 1}, secret=SECRET, at=NOW, headers={"user-agent": "QA/1"})
    with pytest.raises(Diverted) as caught:
        verify(MOMENTO.chain(SECRET, test_agents=["QA/*"]), **parts(delivery), now=NOW)
    assert isinstance(caught.value, Acknowledged)
    assert caught.value.status == 200


def test_marked_test_traffic_is_returned_as_marked(verify: Callable[..., Webhook]) -> None:
    delivery = MOMENTO.sign({"a": 1}, secret=SECRET, at=NOW, headers={"user-agent": "QA/1"})
    chain = MOMENTO.chain(SECRET, test_agents=["QA/*"], on_test="mark")
    assert verify(chain, **parts(delivery), now=NOW).test


@pytest.mark.usefixtures("ripemd128")
@pytest.mark.parametrize("size", [0, 1, 2047, 2048, 2049, 10_000, 65_536])
def test_a_body_under_ripemd128_is_judged_whole(verify: Callable[..., Webhook], size: int) -> None:
    record = PATCHWORKS.using(algorithm="hmac-ripemd128")
    body = (bytes(range(256)) * 256)[:size]
    delivery = record.sign(body, secret=SECRET)
    assert verify(record.chain(SECRET), **parts(delivery)).body == body
    with pytest.raises(SignatureMismatch):
        verify(record.chain(SECRET), **{**parts(delivery), "body": body[:-1] + b"\x01" if body else b"\x01"})


def test_a_body_over_64_kib_is_too_long_for_ripemd128_in_python_alone(
    verify: Callable[..., Webhook], ripemd128: str
) -> None:
    record = PATCHWORKS.using(algorithm="hmac-ripemd128")
    delivery = record.sign(bytes(65_537), secret=SECRET)
    if ripemd128 == "c":
        assert verify(record.chain(SECRET), **parts(delivery)).body == bytes(65_537)
    else:
        with pytest.raises(BodyTooLarge):
            verify(record.chain(SECRET), **parts(delivery))


def test_a_body_of_which_only_fields_are_proven_is_not_handed_out(verify: Callable[..., Webhook]) -> None:
    form = MECHANIC.sign({"customer_id": "7", "note": "anything"}, secret=SECRET)
    webhook = verify(MECHANIC.chain(SECRET), **parts(form))
    assert webhook.fields == {"customer_id": "7"}
    for look in (lambda: webhook.body, webhook.json, webhook.open):
        with pytest.raises(NotProven):
            look()


def test_secrets_may_be_found_for_each_request(verify: Callable[..., Webhook]) -> None:
    def find(head: Any) -> str:
        return SECRET if head.path == "/a" else OTHER

    chain = GITHUB.chain(find)
    assert verify(chain, **parts(push(url="/a"))).path == "/a"
    with pytest.raises(SignatureMismatch):
        verify(chain, **parts(push(url="/b")))


def test_secrets_may_be_awaited(verify: Callable[..., Webhook]) -> None:
    async def find(_head: Any) -> list[str]:
        return [OTHER, SECRET]

    assert verify(GITHUB.chain(find), **parts(push())).key_index == 1


def test_a_source_of_secrets_that_fails_is_503(verify: Callable[..., Webhook]) -> None:
    def find(_head: Any) -> str:
        raise OSError

    with pytest.raises(SecretUnavailable) as caught:
        verify(GITHUB.chain(find), **parts(push()))
    assert (caught.value.status, dict(caught.value.headers)["retry-after"].isdigit()) == (503, True)


# receive


def test_a_received_delivery_is_a_duplicate_the_next_time(receive: Callable[..., Webhook]) -> None:
    store = MemoryStore()
    worked: list[Webhook] = []
    webhook = receive(CHAIN, **parts(push()), store=store, work=worked.append)
    assert (worked, webhook.duplicates, webhook.body) == ([webhook], "checked", b"{}")
    with pytest.raises(Duplicate) as caught:
        receive(CHAIN, **parts(push()), store=store, work=worked.append)
    assert (caught.value.status, len(worked)) == (200, 1)
    assert "hooklatch-duplicate" in dict(caught.value.headers)


def test_an_exception_in_the_block_gives_the_delivery_back_and_passes(receive: Callable[..., Webhook]) -> None:
    store = MemoryStore()
    for _ in range(2):
        with pytest.raises(ApplicationError):
            receive(CHAIN, **parts(push()), store=store, work=failing)
    worked: list[Webhook] = []
    receive(CHAIN, **parts(push()), store=store, work=worked.append)
    assert len(worked) == 1


def test_an_exception_beyond_exceptions_gives_the_delivery_back(receive: Callable[..., Webhook]) -> None:
    def interrupted(_webhook: Webhook) -> None:
        raise KeyboardInterrupt

    store = MemoryStore()
    with pytest.raises(KeyboardInterrupt):
        receive(CHAIN, **parts(push()), store=store, work=interrupted)
    assert receive(CHAIN, **parts(push()), store=store).body == b"{}"


@pytest.mark.parametrize("world", ["asyncio", "trio"])
def test_cancellation_in_the_block_gives_the_delivery_back(world: str) -> None:
    store = MemoryStore()

    async def scenario() -> None:
        with anyio.move_on_after(0.05) as scope:
            async with CHAIN.areceive(**parts(push()), store=store):
                await anyio.sleep_forever()
        assert scope.cancelled_caught

    in_loop(world, scenario)
    with CHAIN.receive(**parts(push()), store=store) as webhook:
        assert webhook.duplicates == "checked"


def test_a_delivery_in_the_block_is_in_flight(receive: Callable[..., Webhook]) -> None:
    store = MemoryStore()
    seen: list[type[Answer]] = []

    def meanwhile(_webhook: Webhook) -> None:
        with pytest.raises(DuplicateInFlight) as caught, CHAIN.receive(**parts(push()), store=store):
            pass
        seen.append(caught.type)

    receive(CHAIN, **parts(push()), store=store, work=meanwhile)
    assert seen == [DuplicateInFlight]


def test_an_altered_delivery_is_raised_as_a_conflict(receive: Callable[..., Webhook]) -> None:
    store = MemoryStore()
    receive(CHAIN, **parts(push()), store=store)
    altered = push()._replace(headers={**push().headers, "x-github-event": "ping"})
    with pytest.raises(DuplicateAltered):
        receive(CHAIN, **parts(altered), store=store)


def test_what_is_refused_is_raised_before_the_block_and_claims_nothing(receive: Callable[..., Webhook]) -> None:
    store = MemoryStore()
    worked: list[Webhook] = []
    with pytest.raises(SignatureMismatch):
        receive(CHAIN, **parts(push(secret=OTHER)), store=store, work=worked.append)
    assert worked == []
    receive(CHAIN, **parts(push()), store=store, work=worked.append)
    assert len(worked) == 1


def test_test_traffic_is_raised_before_the_block_and_claims_nothing(receive: Callable[..., Webhook]) -> None:
    store = MemoryStore()
    chain = MOMENTO.chain(SECRET, test_agents=["QA/*"])
    live = MOMENTO.sign({"a": 1}, secret=SECRET, at=NOW)
    test = live._replace(headers={**live.headers, "user-agent": "QA/1"})
    with pytest.raises(Diverted):
        receive(chain, **parts(test), store=store, now=NOW, work=failing)
    assert receive(chain, **parts(live), store=store, now=NOW).test is False


def test_the_time_of_arrival_can_be_given(receive: Callable[..., Webhook]) -> None:
    delivery = STRIPE.sign(b'{"id":"evt_1"}', secret=SECRET, at=NOW)
    with pytest.raises(TimestampExpired):
        receive(STRIPE.chain(SECRET), **parts(delivery), store=MemoryStore())
    assert receive(STRIPE.chain(SECRET), **parts(delivery), store=MemoryStore(), now=NOW + 5).age == 5


def test_a_chain_that_runs_duplicates_takes_no_claim(receive: Callable[..., Webhook]) -> None:
    store = MemoryStore()
    chain = GITHUB.chain(SECRET, on_duplicate="run")
    for _ in range(2):
        assert receive(chain, **parts(push()), store=store).duplicates == "unchecked"
    assert "0 of" in repr(store)


class Faulty(MemoryStore):
    """A store of which one verb is out of order."""

    def __init__(self, verb: str, *, blocking: bool) -> None:
        super().__init__()
        self.verb = verb
        self.blocking = blocking

    def claim(self, claim: Claim, /) -> Standing:
        self._fail("claim")
        return super().claim(claim)

    def commit(self, claim: Claim, /) -> bool:
        self._fail("commit")
        return super().commit(claim)

    def release(self, claim: Claim, /) -> None:
        self._fail("release")
        super().release(claim)

    def _fail(self, verb: str) -> None:
        if verb == self.verb:
            raise StoreUnavailable


@pytest.mark.parametrize("blocking", [False, True], ids=["inline", "threaded"])
def test_a_store_that_is_down_is_raised_before_the_block(receive: Callable[..., Webhook], *, blocking: bool) -> None:
    with pytest.raises(StoreUnavailable) as caught:
        receive(CHAIN, **parts(push()), store=Faulty("claim", blocking=blocking), work=failing)
    assert caught.value.status == 503


@pytest.mark.parametrize("blocking", [False, True], ids=["inline", "threaded"])
def test_a_commit_that_fails_is_logged_and_not_raised(
    receive: Callable[..., Webhook], caplog: pytest.LogCaptureFixture, *, blocking: bool
) -> None:
    assert receive(CHAIN, **parts(push()), store=Faulty("commit", blocking=blocking)).body == b"{}"
    assert "commit_failed" in caplog.text


@pytest.mark.parametrize("blocking", [False, True], ids=["inline", "threaded"])
def test_a_release_that_fails_hides_no_exception_of_the_block(
    receive: Callable[..., Webhook], caplog: pytest.LogCaptureFixture, *, blocking: bool
) -> None:
    with pytest.raises(ApplicationError):
        receive(CHAIN, **parts(push()), store=Faulty("release", blocking=blocking), work=failing)
    assert "release_failed" in caplog.text


def test_a_store_may_be_named_by_its_url(receive: Callable[..., Webhook]) -> None:
    assert receive(CHAIN, **parts(push()), store="memory://").duplicates == "checked"


def test_a_named_chain_shares_its_memory_with_a_middleware(endpoint: MakeEndpoint) -> None:
    store = MemoryStore()
    chain = GITHUB.chain(SECRET, name="pushes")
    made = endpoint(routes={"/hook": chain}, store=store)
    with chain.receive(**parts(push(url="/queue")), store=store):
        pass
    assert (made.post(push(url="/hook")).status, made.reason, made.calls) == (200, "duplicate", [])
