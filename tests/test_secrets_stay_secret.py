"""Secrets stay secret: whatever a run emits is gathered, and no secret and no expected signature is in it.

Logs of every level, both streams, warnings, tracebacks with their locals, answers, events, and how everything within
reach shows itself.
"""

from __future__ import annotations

import base64
import contextlib
import copy
import hashlib
import io
import logging
import re
import traceback
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import anyio
import pytest

from hooklatch import ConfigError, Delivery, FormField, Header, JSONField, Party, Provider, Secret, errors
from hooklatch.providers import GITHUB, MECHANIC, MOMENTO, PATCHWORKS, STANDARD_WEBHOOKS, STRIPE
from hooklatch.secrets import decode_secret
from hooklatch.stores import MemoryStore
from hooklatch.testing import Answered, Request
from hooklatch.types import Claim, Head, Standing
from worlds import NOW, ApplicationError, Endpoint

MakeEndpoint = Callable[..., Endpoint]

RAW = b"Zq7xK2vP9wLm-the-live-secret"
OLD = b"Yb3nR8tD5hJc-the-old-secret!"
TEST = b"Xc6mF1sG4kQe-the-test-secret"
TOKEN = Provider(name="token", signature=Header("x-token"), algorithm="token", encoding="text")
TIMED = MECHANIC.over("order", "total", signature="s", join="|", every=60).using(name="timed")
RECORDS = [GITHUB, STANDARD_WEBHOOKS, STRIPE, MOMENTO, MECHANIC, TIMED, TOKEN, PATCHWORKS]
RECORDS[-1] = PATCHWORKS.using(algorithm="hmac-ripemd128")
every_record = pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)


def pasted(record: Provider, raw: bytes) -> str:
    return "whsec_" + base64.b64encode(raw).decode() if record.key_encoding == "whsec" else raw.decode()


def spellings(raw: bytes) -> set[str]:
    """Return every way in which *raw* may be written down, and its digest: a guess could be checked by that."""
    plain = base64.b64encode(raw).decode().rstrip("=")
    return {
        raw.decode("latin-1"),
        raw.hex(),
        raw.hex().upper(),
        plain,
        plain.translate(str.maketrans("+/", "-_")),
        repr(list(raw))[1:-1],
        hashlib.sha256(raw).hexdigest(),
    }


NEEDLES = {needle for raw in (RAW, OLD, TEST) for needle in spellings(raw)}


class Net:
    """Everything that was emitted."""

    def __init__(self, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
        self._caplog = caplog
        self._capfd = capfd
        self._caught: list[str] = []
        caplog.set_level(logging.DEBUG)
        for name in ("hooklatch", "asyncio", "concurrent.futures", "trio"):
            caplog.set_level(logging.DEBUG, logger=name)

    def add(self, *things: object) -> None:
        self._caught += [text for thing in things for text in (str(thing), repr(thing))]

    def answered(self, answer: Answered) -> Answered:
        self.add(answer.status, answer.headers, answer.body)
        return answer

    def failed(self, error: BaseException) -> None:
        """Take in *error* as logs and error pages show it."""
        self.add(error, error.args)
        self._caught += traceback.format_exception(error)

    def pages(self, error: BaseException) -> str:
        """Return *error* as debug pages show it: with the locals of every frame of ours."""
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        frames = [frame for frame in shown.stack if "/hooklatch/" in frame.filename]
        return "".join(str(frame.locals) for frame in frames)

    def text(self) -> str:
        streams = self._capfd.readouterr()
        self._caught += [streams.out, streams.err, self._caplog.text]
        self._caught += [str(vars(record)) for record in self._caplog.records]
        return "\n".join(self._caught)


@pytest.fixture
def net(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[Net]:
    """Gather, and look through it all in the end."""
    made = Net(caplog, capfd)
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    logging.getLogger().addHandler(handler)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        yield made
    logging.getLogger().removeHandler(handler)
    made.add(lines.getvalue(), *(warning.message for warning in warned))
    assert_clean(made.text())


def assert_clean(text: str, *more: str) -> None:
    for needle in (*NEEDLES, *more):
        place = text.find(needle)
        assert place < 0, f"a secret was emitted: {text[max(0, place - 200) : place + 100]}"


def ring(record: Provider) -> list[str | Secret]:
    return [
        pasted(record, RAW),
        Secret(pasted(record, OLD), not_after=datetime(2030, 1, 1, tzinfo=UTC), name="old"),
        Secret(pasted(record, TEST), test=True),
    ]


def made(record: Provider, raw: bytes = RAW, at: float = NOW, agent: str = "") -> Delivery:
    headers = {"user-agent": agent} if agent else {}
    fields = {"customer_id": "7", "order": "1", "total": "12.50", "id": "evt_1"}
    body: Any = fields if record.coverage == "fields" or record.name == "momento" else b'{"id":"evt_1"}'
    return record.sign(body, secret=pasted(record, raw), at=at, url="/hook", headers=headers)


def signature_of(record: Provider, delivery: Delivery) -> str:
    """Return the signature as it is written."""
    for place in record.places:
        if isinstance(place, Header):
            written = delivery.headers[place.names[0]]
            return max(re.split(r"[=,](?=.)|v1,", written), key=len)
        found = re.search(rb'(?:customer_id_signature|\bs)(?:=|":")([^"&]+)', delivery.body)
        if found:
            return found[1].decode()
    raise AssertionError


def forged(record: Provider, delivery: Delivery, **changes: Any) -> Delivery:
    """Return *delivery* with another signature of the same length."""
    right = signature_of(record, delivery)
    wrong = ("0" if right[0] != "0" else "1") + right[1:-1] + right[-1]
    headers = {name: value.replace(right, wrong) for name, value in delivery.headers.items()}
    return delivery._replace(headers=headers, body=delivery.body.replace(right.encode(), wrong.encode()), **changes)


def test_the_net_catches_what_is_leaked(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    leaks: list[Callable[[Net], object]] = [
        lambda net: net.add(RAW),
        lambda net: logging.getLogger("hooklatch").debug("%s", RAW.decode()),
        lambda net: print(base64.b64encode(b"" + RAW).decode()),  # noqa: T201 - a leak
        lambda net: net.answered(Answered(401, (("x", RAW.hex()),), b"")),
        lambda net: net.failed(ValueError(RAW.decode())),
        lambda net: net.add({"digest": hashlib.sha256(RAW).hexdigest()}),
    ]
    for leak in leaks:
        net = Net(caplog, capfd)
        leak(net)
        with pytest.raises(AssertionError, match="a secret was emitted"):
            assert_clean(net.text())
        caplog.clear()
    assert_clean(Net(caplog, capfd).text())


# Deliveries of every kind.


@every_record
@pytest.mark.parametrize("debug", [False, True], ids=["", "debug"])
def test_no_delivery_makes_a_secret_appear(record: Provider, debug: bool, endpoint: MakeEndpoint, net: Net) -> None:
    with warnings.catch_warnings():
        chain = record.chain(ring(record), test_agents=["Test/*"])
        app = endpoint(routes={"/hook": chain}, protect=["/hook", "/private/*"], debug=debug)
    app.statuses = [200, 500, 0]
    live, again, third = made(record), made(record, OLD), made(record)
    expected = [signature_of(record, one) for one in (live, again)]
    bodies = [live.body, again.body]
    assert net.answered(app.post(live)).status == 200
    net.answered(app.post(live))
    with contextlib.suppress(ApplicationError):
        net.answered(app.post(made(record, OLD, NOW + 1)))
    with contextlib.suppress(ApplicationError):
        net.answered(app.post(third))
    net.answered(app.post(made(record, TEST, NOW, "Test/1")))
    assert app.reason in {"diverted", "duplicate"}
    net.answered(app.post(made(record, RAW, NOW - 5, "Test/1")))
    calls = len(app.calls)
    app.statuses.clear()
    for wrong in (
        forged(record, live),
        live._replace(headers={}),
        live._replace(body=b"x" + live.body),
        live._replace(body=b""),
        live._replace(headers={**live.headers, "content-length": "abc"}),
        live._replace(headers={**live.headers, "content-length": "99999999"}),
        live._replace(headers={name: value + "\xe9" for name, value in live.headers.items()}),
        live._replace(method="GET"),
        live._replace(url="/hook/../hook"),
        live._replace(url="/private/x"),
        made(record, b"a stranger's guess of it"),
    ):
        answer = net.answered(app.post(wrong))
        if record.coverage == "body":
            assert answer.status in {400, 401, 403, 405, 413}
            assert (b"reason" in answer.body) == debug
    assert len(app.calls) == calls or record.coverage != "body"
    net.add(*app.events)
    text = net.text()
    assert_clean(text)
    if record is not TOKEN:
        # What would have been right is shown for no request, and the bytes it is about are not either.
        assert_clean(text, *expected, *(base64.b64encode(body).decode() for body in bodies if body))
        for one in expected:
            if re.fullmatch("[0-9a-f]+", one):
                assert_clean(text, base64.b64encode(bytes.fromhex(one)).decode(), one.upper())
            else:
                assert_clean(text, base64.b64decode(one).hex())


@every_record
def test_an_error_page_shows_no_secret(record: Provider, endpoint: MakeEndpoint, net: Net) -> None:
    app = endpoint(routes={"/hook": record.chain(ring(record))}, statuses=[0], debug=True)
    with pytest.raises(ApplicationError) as raised:
        app.post(made(record))
    net.failed(raised.value)
    page = net.pages(raised.value)
    assert "self" in page
    if record is not TOKEN:
        assert_clean(page)


@every_record
def test_an_error_page_of_a_failing_verifier_shows_no_secret(
    record: Provider, endpoint: MakeEndpoint, net: Net
) -> None:
    class Broken:
        def open(self, head: Head, facts: Any) -> Any:
            return self

        def update(self, chunk: bytes) -> None:
            pass

        def finish(self, facts: Any) -> None:
            msg = "one's own verifier has a bug"
            raise ZeroDivisionError(msg)

    app = endpoint(routes={"/hook": record.chain(ring(record), extra=[Broken()])})
    with pytest.raises(ZeroDivisionError) as raised:
        app.post(made(record))
    net.failed(raised.value)
    if record is not TOKEN:
        assert_clean(net.pages(raised.value))


# Sources.


def _raises(head: Head) -> Any:
    msg = f"no such row: {RAW.decode()}"
    raise LookupError(msg)


async def _araises(head: Head) -> Any:
    return _raises(head)


def _lazily(head: Head) -> Any:
    yield RAW
    _raises(head)


SOURCES: dict[str, Callable[[Head], Any]] = {
    "raises": _raises,
    "raises-later": _araises,
    "fails-half-way": _lazily,
    "blanks-at-its-ends": lambda head: f" {RAW.decode()} ",
    "a-placeholder": lambda head: "${" + RAW.decode() + "}",
    "a-dict": lambda head: {"secret": RAW.decode()},
    "a-list-in-a-list": lambda head: [[RAW.decode()]],
    "a-number": lambda head: int.from_bytes(RAW, "big"),
    "no-utf-8": lambda head: RAW.decode() + "\udc80",
    "a-pem": lambda head: f"-----BEGIN PRIVATE KEY-----\n{RAW.decode()}",
    "an-empty-party": lambda head: Party("shop", [RAW.decode(), ""]),
    "live-and-test": lambda head: [RAW.decode(), Secret(RAW, test=True)],
    "expired": lambda head: Secret(RAW, not_after=datetime(2020, 1, 1, tzinfo=UTC)),
    "a-party": lambda head: Party("shop", [RAW.decode(), OLD]),
    "nobody": lambda head: None,
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
@pytest.mark.parametrize("debug", [False, True], ids=["", "debug"])
def test_no_source_makes_a_secret_appear(
    source: Callable[[Head], Any], debug: bool, endpoint: MakeEndpoint, net: Net
) -> None:
    app = endpoint(routes={"/hook": GITHUB.chain(source)}, debug=debug)
    right = made(GITHUB)
    for delivery in (forged(GITHUB, right), right, made(GITHUB, OLD)):
        net.answered(app.post(delivery))
    net.add(*app.events, app.app, *app.app.routes.table.values())
    assert_clean(net.text(), signature_of(GITHUB, right), signature_of(GITHUB, made(GITHUB, OLD)))


@pytest.mark.parametrize("source", [_raises, _araises, _lazily], ids=["raises", "raises-later", "fails-half-way"])
def test_what_a_source_raised_is_named_and_not_quoted(
    source: Callable[[Head], Any], endpoint: MakeEndpoint, net: Net
) -> None:
    app = endpoint(routes={"/hook": GITHUB.chain(source)})
    assert net.answered(app.post(made(GITHUB))).status == 503
    assert "LookupError" in app.events[-1].detail
    assert "no such row" not in net.text()


class Down(MemoryStore):
    """A store that fails, after it was told everything about the claim."""

    def claim(self, claim: Claim, /) -> Standing:
        msg = f"cannot reach the server for {claim!r}"
        raise errors.StoreUnavailable(msg)


@every_record
def test_a_store_that_quotes_its_claim_shows_no_secret(record: Provider, endpoint: MakeEndpoint, net: Net) -> None:
    app = endpoint(routes={"/hook": record.chain(ring(record))}, store=Down(), debug=True)
    delivery = made(record)
    assert net.answered(app.post(delivery)).status == 503
    net.add(*app.events)
    if record is not TOKEN:
        assert_clean(net.text(), signature_of(record, delivery))


def test_an_observer_that_fails_shows_no_secret(endpoint: MakeEndpoint, net: Net) -> None:
    def observer(event: Any) -> None:
        msg = f"cannot count {event}"
        raise RuntimeError(msg)

    app = endpoint(routes={"/hook": GITHUB.chain(ring(GITHUB))}, observer=observer)
    right = made(GITHUB)
    for delivery in (forged(GITHUB, right), right, right):
        net.answered(app.post(delivery))
    text = net.text()
    assert "the observer failed" in text
    assert_clean(text, signature_of(GITHUB, right))


# Configuration.

PUBLIC = Provider(name="public", signature=Header("x-signature"), algorithm="ed25519")
BAD_CONFIGURATIONS: dict[str, Callable[[], object]] = {
    "blanks": lambda: GITHUB.chain(f"{RAW.decode()} "),
    "line-break": lambda: GITHUB.chain(f"{RAW.decode()}\n"),
    "placeholder": lambda: GITHUB.chain(f"<{RAW.decode()}>"),
    "reference": lambda: GITHUB.chain(f"env:{RAW.decode()}"),
    "pem": lambda: GITHUB.chain(f"-----BEGIN RSA PRIVATE KEY-----\n{RAW.decode()}"),
    "jwk": lambda: GITHUB.chain(f'{{"kty":"oct","k":"{RAW.decode()}"}}'),
    "ssh": lambda: GITHUB.chain(f"ssh-rsa {RAW.decode()}"),
    "public": lambda: GITHUB.chain(f"whpk_{RAW.decode()}"),
    "surrogate": lambda: GITHUB.chain(f"{RAW.decode()}\udc80"),
    "number": lambda: GITHUB.chain(int.from_bytes(RAW, "big")),  # type: ignore[arg-type]
    "dict": lambda: GITHUB.chain({"secret": RAW.decode()}),  # type: ignore[arg-type]
    "set": lambda: GITHUB.chain({RAW.decode()}),  # type: ignore[arg-type]
    "bytearray": lambda: GITHUB.chain([bytearray(RAW)]),  # type: ignore[list-item]
    "nested": lambda: GITHUB.chain([[RAW.decode()]]),  # type: ignore[list-item]
    "second-empty": lambda: GITHUB.chain([RAW.decode(), ""]),
    "live-and-test": lambda: GITHUB.chain([RAW.decode(), Secret(RAW, test=True)]),
    "naive-time": lambda: Secret(RAW.decode(), not_after=datetime(2030, 1, 1)),  # noqa: DTZ001
    "no-time": lambda: Secret(RAW.decode(), not_after="2030"),  # type: ignore[arg-type]
    "times-swapped": lambda: Secret(
        RAW, not_before=datetime(2030, 1, 1, tzinfo=UTC), not_after=datetime(2029, 1, 1, tzinfo=UTC)
    ),
    "not-hex": lambda: GITHUB.using(key_encoding="hex").chain(RAW.decode()),
    "not-base64": lambda: GITHUB.using(key_encoding="base64").chain(RAW.decode() + "!"),
    "not-whsec": lambda: STANDARD_WEBHOOKS.chain(f"whsec_{RAW.decode()}!"),
    "not-whsec-twice": lambda: STANDARD_WEBHOOKS.chain([pasted(STANDARD_WEBHOOKS, OLD), f"whsec_{RAW.decode()}!"]),
    "as-public-key": lambda: PUBLIC.chain(public_keys=RAW.decode()),
    "as-public-keys": lambda: PUBLIC.chain(public_keys=[RAW, OLD]),
    "beside-a-public-key": lambda: PUBLIC.chain(RAW.decode(), public_keys="whpk_"),
    "for-a-public-key": lambda: PUBLIC.chain(RAW.decode()),
    "unknown-option": lambda: GITHUB.chain(RAW.decode(), tolerance=5),  # type: ignore[call-arg]
    "bad-option": lambda: GITHUB.chain(RAW.decode(), max_body=0),
    "nothing-proven": lambda: GITHUB.using(timestamp=Header("x-time")).chain(RAW.decode()),
    "party-without-name": lambda: Party("", RAW.decode()),
    "sign-with-blanks": lambda: GITHUB.sign(b"", secret=f" {RAW.decode()}"),
    "sign-for-a-public-key": lambda: PUBLIC.sign(b"", secret=RAW.decode()),
    "missing-field": lambda: MECHANIC.sign(b"{}", secret=RAW.decode()),
    "bad-field": lambda: MECHANIC.sign(b"\xff", secret=RAW.decode()),
}


@pytest.mark.parametrize("make", BAD_CONFIGURATIONS.values(), ids=BAD_CONFIGURATIONS)
def test_no_configuration_error_quotes_a_secret(make: Callable[[], object], net: Net) -> None:
    with pytest.raises(ConfigError) as raised:
        make()
    error: BaseException | None = raised.value
    while error is not None:
        net.failed(error)
        error = error.__cause__ or error.__context__


def test_routes_that_share_a_secret_are_refused_without_quoting_it(endpoint: MakeEndpoint, net: Net) -> None:
    with pytest.raises(ConfigError, match="share a secret") as raised:
        endpoint(routes={"/a": MECHANIC.chain(RAW), "/b": TIMED.chain(RAW)})
    net.failed(raised.value)


def test_what_is_said_at_start_up_quotes_no_secret(endpoint: MakeEndpoint, net: Net) -> None:
    short = Provider(name="short", signature=Header("x-signature"))
    chains = {
        "/short": short.chain(RAW[:12].decode()),
        "/lax": STRIPE.chain(RAW, max_age=None, test_agents=["Test/*"]),
        "/form": MECHANIC.chain(OLD),
        "/token": TOKEN.chain(TEST),
    }
    app = endpoint(routes=chains, debug=True)
    text = net.text()
    assert "shorter than 16" in text
    assert RAW[:12].decode() not in text
    net.add(app.app)


# How things show themselves.


def within(*things: object) -> Iterator[object]:
    """Yield everything of ours, and every collection, that can be reached from *things*."""
    seen: dict[int, object] = {}
    waiting = list(things)
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen or isinstance(thing, type | str | bytes | int | float | None):
            continue
        seen[id(thing)] = thing
        if isinstance(thing, dict):
            waiting += [*thing.keys(), *thing.values()]
            continue
        if isinstance(thing, list | tuple | set | frozenset):
            waiting += thing
        elif not type(thing).__module__.startswith("hooklatch"):
            continue
        yield thing
        names = {name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ()) if name != "__dict__"}
        waiting += [
            getattr(thing, name) for name in names | getattr(thing, "__dict__", {}).keys() if hasattr(thing, name)
        ]


@every_record
def test_nothing_within_reach_shows_a_secret(record: Provider, endpoint: MakeEndpoint, net: Net) -> None:
    held: list[Claim] = []

    class Noting(MemoryStore):
        def claim(self, claim: Claim, /) -> Standing:
            held.append(claim)
            return super().claim(claim)

    secrets = ring(record)
    chain = record.chain(secrets)
    app = endpoint(routes={"/hook": chain}, store=Noting())
    delivery = made(record)
    assert app.post(delivery).status == 200
    signature = signature_of(record, delivery)
    source = record.chain(lambda head: Party("shop", secrets))
    source.verify(headers=delivery.headers, body=delivery.body, url="/hook", now=NOW)
    key = record.key(RAW)
    party = Party("shop", pasted(record, RAW))
    found = list(
        within(record, chain, source, app.app, app.last, held, key, party, *secrets[1:], app.events, app.store)
    )
    assert {type(thing).__name__ for thing in found} >= {"Ring", "Secret", "ActiveKey", "Webhook", "Claim", "Party"}
    for thing in found:
        if thing is not secrets:
            for text in (repr(thing), str(thing), f"{thing}", f"{thing!r}", f"{[thing]}"):
                # A list of what was received holds what was received.
                ours = type(thing).__module__.startswith("hooklatch") and record is not TOKEN
                assert_clean(text, *([signature] if ours else []))
    net.add(*(thing for thing in found if thing is not secrets))


@pytest.mark.parametrize("value", [RAW, RAW.decode()], ids=["bytes", "text"])
def test_a_secret_shows_everything_but_its_value(value: str | bytes, net: Net) -> None:
    until = datetime(2030, 1, 1, tzinfo=UTC)
    secret = Secret(value, not_after=until, test=True, name="quality assurance")
    for text in (repr(secret), str(secret), f"{secret}", f"{secret!s:>100}", repr(copy.copy(secret))):
        assert_clean(text)
        assert "2030" in text
        assert "quality assurance" in text
    with pytest.raises(AttributeError) as raised:
        secret.value = "other"  # type: ignore[misc]
    net.failed(raised.value)
    logging.getLogger().error("using %s and %r of %s", secret, [secret], {"a": Party("a", secret)})


def test_a_verdict_without_a_door_shows_no_secret(net: Net) -> None:
    chain = GITHUB.chain(ring(GITHUB))
    right = made(GITHUB)
    net.add(chain.verify(headers=right.headers, body=right.body))
    store = MemoryStore()
    with chain.receive(headers=right.headers, body=right.body, store=store) as webhook:
        net.add(webhook, webhook.claim, store)
    wrong = forged(GITHUB, right)
    for delivery in (wrong, right):
        with (
            pytest.raises(errors.Answer) as raised,
            chain.receive(headers=delivery.headers, body=delivery.body, store=store),
        ):
            pass
        net.failed(raised.value)
        assert_clean("".join(traceback.format_exception(raised.value)), signature_of(GITHUB, right))

    async def wait() -> None:
        with pytest.raises(errors.Answer) as awaited:
            await chain.averify(headers=wrong.headers, body=wrong.body)
        net.failed(awaited.value)

    anyio.run(wait)


# What strangers send.

NASTY = "x\r\nWARNING forged: line\n\x1b[31mred\x07\x00\x7f\x85\xa0\xe9\xff\u2028"[:-1] + "\t" + "A" * 500
IN_HEADERS = ["x-hub-signature-256", "user-agent", "content-type", "x-github-event", "origin", "content-length", "host"]


def printable(text: str) -> bool:
    return all(" " <= character <= "~" for character in text)


@pytest.mark.parametrize("name", IN_HEADERS)
@pytest.mark.parametrize("value", [NASTY, "sha256=" + NASTY, "sha256=" + "0" * 64 + "\r\nx", "\x1b]0;title\x07"])
def test_what_a_stranger_writes_into_a_header_is_one_escaped_line_of_the_log(
    name: str, value: str, endpoint: MakeEndpoint, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    chain = GITHUB.chain(RAW, cors=["https://shop.example"], test_agents=["Test/*"], other_agents="reject")
    app = endpoint(routes={"/hook": chain}, debug=True)
    caplog.clear()
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
    logging.getLogger("hooklatch").addHandler(handler)
    try:
        right = made(GITHUB)
        answer = app.post(right._replace(headers={**right.headers, name: value}))
    finally:
        logging.getLogger("hooklatch").removeHandler(handler)
    ours = [record for record in caplog.records if record.name == "hooklatch"]
    written = lines.getvalue()
    assert written.count("\n") == len(ours) == (0 if answer.status == 200 else 1)
    assert printable(written.replace("\n", ""))
    assert all(printable(event.detail) and printable(event.method) for event in app.events)
    assert len(written) < 500
    assert "forged: line" not in f"{answer.headers} {answer.body!r}"
    assert "0;title" not in f"{answer.headers} {answer.body!r}"


@pytest.mark.parametrize("part", ["method", "path", "query"])
def test_what_a_stranger_writes_into_the_request_line_is_one_escaped_line_of_the_log(
    part: str, world: str, endpoint: MakeEndpoint, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    app = endpoint(routes={"/hook/*": GITHUB.chain(RAW)}, protect=["/hook/*"])
    caplog.clear()
    overrides: dict[str, Any] = {
        "method": {"REQUEST_METHOD": NASTY} if world == "wsgi" else {"method": NASTY},
        "path": {"PATH_INFO": "/hook/" + NASTY} if world == "wsgi" else {"path": "/hook/" + NASTY},
        "query": {"QUERY_STRING": NASTY} if world == "wsgi" else {"query_string": NASTY.encode("latin-1")},
    }[part]
    app.post(Request("POST", "/hook/x", {"x-hub-signature-256": "sha256=" + "0" * 64}, b"{}"), **overrides)
    (record,) = (record for record in caplog.records if record.name == "hooklatch")
    assert record.levelno == logging.WARNING
    assert printable(record.getMessage())
    assert len(record.getMessage()) < 700
    assert all(printable(event.detail) and printable(event.method) for event in app.events)


def test_text_in_a_body_that_is_malformed_is_not_quoted(endpoint: MakeEndpoint, net: Net) -> None:
    app = endpoint(routes={"/hook": MECHANIC.chain(RAW)}, debug=True)
    headers = {"content-type": "application/json"}
    for body in (b"{" + NASTY.encode(), b'{"customer_id": "\x1b[31m\\r\\n"}', b"\xff\xfe", b"[" * 9000):
        answer = net.answered(app.post(Request("POST", "/hook", headers, body)))
        assert answer.status == 401
        assert all(printable(event.detail) for event in app.events)
    assert "forged: line" not in net.text()


def test_the_places_of_a_record_are_described_without_values() -> None:
    for record in RECORDS:
        for place in record.places:
            assert isinstance(place, Header | FormField | JSONField)
        assert_clean(repr(record))
    assert decode_secret(pasted(STANDARD_WEBHOOKS, RAW), "whsec") == RAW
