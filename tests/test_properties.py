"""What holds for every sender, every body and every byte a stranger can send."""

from __future__ import annotations

import base64
import io
import itertools
import json
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import samples
from hooklatch import Delivery, FormField, Header, JSONField, Provider, Query
from hooklatch import providers as catalogue
from hooklatch.chain import Options
from hooklatch.documents import FormDocument, JSONDocument
from hooklatch.lines import byte_lines
from hooklatch.providers import PATCHWORKS
from hooklatch.stores import Unremembering
from hooklatch.testing import Answered, Request
from hooklatch.types import Head
from hooklatch.verifiers.offers import encoded
from worlds import NOW, Endpoint, make_endpoint, without_extension

if TYPE_CHECKING:
    from starlette.types import Message

    from hooklatch.fields import Field

PATH = "/in"
DIGITS = "7331655794"
SECRETS = {
    "utf-8": "the-secret-of-this-route",
    "sha1": "the-secret-of-this-route",
    "hex": b"twenty-four bytes of key".hex(),
    "base64": base64.b64encode(b"twenty-four bytes of key").decode(),
    "whsec": "whsec_" + base64.b64encode(b"twenty-four bytes of key").decode(),
}

# Formats that no sender in the catalogue has: what follows the body, a digest of it, all of the head, a slow hash.
OWN = {
    "own_after": Provider(
        name="own_after",
        signature=Header("x-signature", part="v1", many=True),
        timestamp=Header("x-signature", part="t"),
        signed="{body}.{timestamp}",
        encoding="base64url",
        max_age=300,
    ),
    "own_head": Provider(
        name="own_head",
        signature=Header("x-signature"),
        timestamp=Header("x-timestamp"),
        timestamp_unit="rfc3339",
        id=Query("id"),
        signed="{method} {path} {query} {header.x-tenant} {id} {timestamp} {body:sha256}",
        algorithm="hmac-sha512",
        encoding="base64",
        max_age=300,
    ),
    "own_fields": Provider(
        name="own_fields",
        signature=Header("x-signature"),
        signed="{field.order.number}|{field.total}",
        algorithm="hmac-sha1",
    ),
    "own_slow": PATCHWORKS.using(name="own_slow", algorithm="hmac-ripemd128"),
}


def form(place: Field | None) -> tuple[object, ...]:
    """Return how a value at *place* is read, whatever its header or field is called."""
    if isinstance(place, Header):
        return ("header", place.part is None, place.many, place.separator, place.assign)
    return (type(place).__name__, len(place.path) if isinstance(place, JSONField) else 0)


def shape(record: Provider) -> tuple[object, ...]:
    """Return the facts by which *record*'s sender is judged; test_catalogue.py tries every one of them."""
    return (
        *[form(place) for place in (*record.places, record.timestamp, record.id)],
        (record.timestamp_unit, record.signed, record.every, record.fields_in, record.reusable, record.adjacent),
        (record.scheme, record.algorithm, record.encoding, bool(record.prefix), record.key_encoding),
    )


# The first sender of each shape, the founding ones before all: a longer catalogue of the same takes no longer.
FOUNDING = ("github", "mechanic", "momento", "patchworks", "speckle", "standard_webhooks", "stripe")
# Graph's token stands in the body itself, which therefore cannot be any body.
PLAYED = [name for name in samples.SIGNING if name != "msgraph"]
SHAPES = {shape(catalogue.provider(name)): name for name in reversed((*FOUNDING, *PLAYED))}
RECORDS = [*sorted(SHAPES.values()), *OWN]
WORLDS = ["wsgi", "asyncio"]

# A number of examples for all senders together, so that a longer catalogue takes no longer.
quick = settings(max_examples=max(8, 160 // len(RECORDS)), deadline=None, derandomize=True)
thorough = settings(max_examples=max(12, 320 // len(RECORDS)), deadline=None, derandomize=True)


@cache
def record_of(name: str) -> Provider:
    return OWN[name] if name in OWN else catalogue.provider(name)


def secret_of(record: Provider) -> str:
    return SECRETS[record.key_encoding]


@cache
def door(name: str, world: str, threshold: int = 1 << 20) -> Endpoint:
    """Return an endpoint without memory, so that no example depends on another."""
    record = record_of(name)
    with without_extension():
        chain = record.chain(secret_of(record), **needs(record))
    routes = {PATH: chain, f"{PATH}/*": chain}
    return make_endpoint(world, routes=routes, store=Unremembering(), spool_threshold=threshold)


def needs(record: Provider) -> Any:
    """Return the options without which *record* makes no chain."""
    found: Options = {"public_url": f"https://example.com{PATH}"} if record.signs_url else {}
    if record.expects:
        found["expect"] = dict.fromkeys(record.expects, "ours")
    return found


def own_fields(record: Provider) -> list[str]:
    """Return the signed fields that the sender does not write by itself."""
    written = ".".join(record.timestamp.path) if isinstance(record.timestamp, JSONField) else top(record.timestamp)
    return [name for name in record.template.fields if name != written]


class Verdict(NamedTuple):
    """What became of one request."""

    status: int
    reason: str
    body: bytes | None
    """What the application got to see; None where it was not called."""


def judge(made: Endpoint, request: Request | Delivery, **overrides: Any) -> Verdict:
    made.calls.clear()
    made.events.clear()
    answer: Answered = made.post(request, **overrides)
    return Verdict(answer.status, made.reason, made.calls[0].body if made.calls else None)


# What a sender can send

PLAIN = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
NAMES = st.text(st.characters(min_codepoint=97, max_codepoint=122), min_size=1, max_size=8)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=10),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(NAMES, children, max_size=3),
    max_leaves=8,
)


def top(place: object) -> str:
    """Return the first step of a place in the body, empty for one in the head."""
    return place.path[0] if isinstance(place, JSONField) else place.name if isinstance(place, FormField) else ""


def bodies(record: Provider) -> st.SearchStrategy[Any]:
    """Return every body that this sender can sign: any bytes, but where it puts something of its own into them."""
    taken = {top(place) for place in (*record.places, record.timestamp, record.id)}
    objects = st.dictionaries(NAMES, JSON_VALUES, max_size=4).map(
        lambda found: {name: value for name, value in found.items() if name not in taken}
    )
    if record.scheme and record.opens_body:
        return BODIES[record.scheme]
    if record.template.fields:
        values = st.tuples(*[PLAIN.filter(lambda text: "|" not in text) for _ in own_fields(record)])
        form = record.kinds[0] is FormField
        rest = st.dictionaries(NAMES, PLAIN, max_size=3) if form else objects
        return st.builds(
            lambda found, more: {**{n: v for n, v in more.items() if n not in taken}, **nested(record, found)},
            values,
            rest,
        )
    if isinstance(record.timestamp, JSONField):
        return objects
    return st.binary(max_size=300) | objects.map(lambda found: json.dumps(found).encode())


FORMS = st.dictionaries(NAMES, PLAIN, min_size=1, max_size=4)
BODIES: dict[str, st.SearchStrategy[Any]] = {
    "adyen_items": st.lists(
        st.dictionaries(st.sampled_from(["merchantReference", "other", "reason"]), PLAIN, max_size=3).map(
            lambda found: {"NotificationRequestItem": found}
        ),
        min_size=1,
        max_size=3,
        unique_by=lambda item: item["NotificationRequestItem"].get("merchantReference", ""),
    ).map(lambda items: {"notificationItems": items}),
    "braintree": st.binary(min_size=1).map(lambda raw: {"bt_payload": base64.encodebytes(raw).decode()}),
    "plivo": FORMS,
    "sorted_form": FORMS,
    "twilio": FORMS,
}
"""What a sender can write whose scheme reads the body."""


def nested(record: Provider, values: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in zip(own_fields(record), values, strict=True):
        inner = found
        *steps, last = name.split(".")
        for step in steps:
            inner = inner.setdefault(step, {})
        inner[last] = value
    return found


def signed(record: Provider, body: Any, *, at: float = NOW, event: str | None = None, url: str = PATH) -> Delivery:
    tenant = dict.fromkeys(record.template.headers, "tenant-7")
    given = needs(record)
    whole = given.get("public_url", PATH) + url.removeprefix(PATH)
    expect = given.get("expect", {})
    return record.sign(body, secret=secret_of(record), at=at, id=event, url=whole, headers=tenant, expect=expect)


@cache
def sample(name: str) -> Delivery:
    """Return one genuine delivery of the sender *name*, with digits wherever a value is signed."""
    record = record_of(name)
    if record.scheme and record.opens_body:
        return signed(record, samples.sample(name).body)
    if record.template.fields:
        return signed(record, nested(record, tuple(DIGITS for _ in own_fields(record))))
    return signed(record, {"text": "hello"} if isinstance(record.timestamp, JSONField) else b'{"text":"hello"}')


def head_of(delivery: Delivery) -> Head:
    query = delivery.url.partition("?")[2]
    return Head(delivery.method, PATH, query, byte_lines(delivery.headers), NOW)


def offered(record: Provider, delivery: Delivery) -> str:
    """Return the text of the signature as it stands in *delivery*."""
    for place in record.places:
        if isinstance(place, Header | Query):
            if found := place.read(head_of(delivery)):
                return found[0].removeprefix(record.prefix)
        elif isinstance(place, FormField):
            if not delivery.body.startswith(b"{") and (text := FormDocument(delivery.body).text(place.name)):
                return text.rpartition("|")[2]
        elif (
            isinstance(place, JSONField)
            and delivery.body.startswith(b"{")
            and (text := JSONDocument(delivery.body).text(*place.path))
        ):
            return text
    raise AssertionError(delivery)


def replaced(delivery: Delivery, old: str, new: str) -> Delivery:
    """Return *delivery* with the text *old* replaced wherever it stands."""
    headers = {name: value.replace(old, new) for name, value in delivery.headers.items()}
    url = delivery.url.replace(quote(old), quote(new))
    return Delivery(delivery.method, url, headers, delivery.body.replace(old.encode(), new.encode()))


# What a stranger can send

WIRE = st.binary(max_size=40).map(lambda raw: raw.decode("latin-1"))
"""Any bytes, as a server shows them."""

ODD = [
    "",
    " ",
    "1700000000",
    "1700000000000",
    " 1700000000\t",
    "01700000000",
    "1_700_000_000",
    "-1",
    "1e9",
    "nan",
    "inf",
    "9" * 400,
    "\xb2",
    "2023-11-14T22:13:20Z",
    "9999-99-99T99:99:99Z",
    "0001-01-01T00:00:00+23:59",
    "sha256=" + "0" * 64,
    "sha256=" + "g" * 64,
    "sha1=" + "0" * 40,
    "0" * 64,
    "t=1700000000,v1=" + "0" * 64,
    "t=1700000000",
    "v1=" + "0" * 64,
    "t=,v1=",
    ",,,=,=",
    ",".join(["v1=" + "0" * 64] * 9),
    "v1," + base64.b64encode(bytes(32)).decode(),
    "v1,AAAA v1,=",
    "v1a,AAAA",
    "evt_1",
    "a" * 9000,
    "\x00",
    "\xff\xfe",
    "a\r\nb: c",
]
TYPES = [
    "application/json",
    "application/json; charset=utf-8",
    "application/json;charset=utf-16",
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded;",
    "multipart/form-data; boundary=x",
    "APPLICATION/JSON",
    ";",
    "",
]
ODD_BODIES = [
    b"",
    b"{}",
    b"null",
    b"[" * 10_000,
    b'{"a":' * 3000,
    b'{"publish_timestamp":1e999}',
    b'{"publish_timestamp":' + b"9" * 5000 + b"}",
    b'{"publish_timestamp":NaN,"customer_id":true}',
    b'{"customer_id":"\\ud800","customer_id_signature":"00"}',
    b'{"customer_id":"7","customer_id_signature":"' + b"0" * 64 + b'"}',
    b'{"customer_id":"7","customer_id":"8","customer_id_signature":"' + b"0" * 64 + b'"}',
    b'{"payload":"{}"}',
    b'{"payload":{}}',
    b"customer_id=7&customer_id_signature=" + b"0" * 64,
    b"customer_id=%ff&customer_id_signature=%00",
    b"customer_id=%&customer_id_signature=",
    b"a=1&" * 2000,
    '{"publish_timestamp":1}'.encode("utf-16"),
    b'\xef\xbb\xbf{"payload":"x"}',
    b'{"order":{"number":1},"total":"2"}',
    b"\xff" * 100,
]


def header_names(record: Provider) -> list[str]:
    """Return the headers by which a verdict on this sender can come about."""
    places = (*record.places, record.timestamp, record.id, *record.unsigned.values())
    read = {name for place in places if isinstance(place, Header) for name in place.names}
    return sorted({*read, *record.dispatch, *record.template.headers, "content-type", "user-agent"})


def query_names(record: Provider) -> list[str]:
    return [place.name for place in (*record.places, record.timestamp, record.id) if isinstance(place, Query)]


def values(name: str) -> st.SearchStrategy[str]:
    return WIRE | st.sampled_from(ODD + TYPES * (3 if name == "content-type" else 0))


class Strange(NamedTuple):
    """A request of which any part may be anything; its query is as raw as the rest."""

    request: Request
    query: str


@st.composite
def strange_requests(draw: st.DrawFn, record: Provider, most: int) -> Strange:
    """Return a request made up freely; at most *most* lines of each header."""
    lines = [(name, value) for name in header_names(record) for value in draw(st.lists(values(name), max_size=most))]
    body = draw(st.binary(max_size=200) | st.sampled_from(ODD_BODIES))
    query = draw(
        WIRE | st.sampled_from(["", "a=1&a=2", "&" * 300, "%", "%ff=%ff", *[f"{n}=x" for n in query_names(record)]])
    )
    method = draw(st.sampled_from([record.methods[0]] * 8 + ["GET", "post", "OPTIONS", "\xff"]))
    return Strange(Request(method, PATH, lines, body), query)


@st.composite
def mutated_deliveries(draw: st.DrawFn, record: Provider) -> Strange:
    """Return a genuine delivery to which one thing was done, or nothing."""
    genuine = signed(record, draw(bodies(record)), at=NOW + draw(st.sampled_from([0, -1, 59, -299, -301, 302, 10**9])))
    headers, body, query = dict(genuine.headers), genuine.body, genuine.url.partition("?")[2]
    match draw(st.sampled_from(["nothing", "header", "no header", "longer header", "body", "cut", "more", "query"])):
        case "header":
            name = draw(st.sampled_from(header_names(record)))
            headers[name] = draw(values(name))
        case "no header":
            headers.pop(draw(st.sampled_from(sorted(headers) or ["none"])), None)
        case "longer header":
            name = draw(st.sampled_from(sorted(headers) or ["x"]))
            headers[name] = headers.get(name, "") + draw(WIRE)
        case "body":
            body = draw(st.sampled_from(ODD_BODIES))
        case "cut":
            body = body[: draw(st.integers(0, len(body)))]
        case "more":
            at = draw(st.integers(0, len(body)))
            body = body[:at] + draw(st.binary(max_size=5)) + body[at:]
        case "query":
            query += draw(WIRE)
    return Strange(Request(genuine.method, PATH, headers, body), query)


def judge_strange(made: Endpoint, strange: Strange, **overrides: Any) -> Verdict:
    if made.world == "wsgi":
        return judge(made, strange.request, QUERY_STRING=strange.query, **overrides)
    return judge(made, strange.request, query_string=strange.query.encode("latin-1"), **overrides)


# No byte breaks it


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("name", RECORDS)
def test_no_bytes_raise_or_are_our_fault(name: str, world: str) -> None:
    made = door(name, world)

    @thorough
    @given(strange_requests(record_of(name), 2))
    def holds(strange: Strange) -> None:
        verdict = judge_strange(made, strange)
        assert 400 <= verdict.status < 500
        assert verdict.body is None

    holds()


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("name", RECORDS)
def test_nothing_done_to_a_genuine_delivery_raises_or_is_our_fault(name: str, world: str) -> None:
    made = door(name, world)

    @quick
    @given(mutated_deliveries(record_of(name)))
    def holds(strange: Strange) -> None:
        verdict = judge_strange(made, strange)
        assert 200 <= verdict.status < 500
        assert verdict.body in {None, strange.request.body}

    holds()


def places_in_the_head(record: Provider) -> list[Header | Query]:
    places = (*record.places, record.timestamp, record.id)
    return [place for place in places if isinstance(place, Header | Query)]


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("name", [name for name in RECORDS if places_in_the_head(record_of(name))])
def test_no_odd_value_in_the_place_of_a_genuine_one_raises_or_is_our_fault(name: str, world: str) -> None:
    record, genuine = record_of(name), sample(name)
    tried = 0
    for place in places_in_the_head(record):
        for old in place.read(head_of(genuine)):
            for odd in [*ODD, *TYPES]:
                changed = replaced(genuine, old, odd)
                tried += changed != genuine
                request = Request(changed.method, PATH, changed.headers, changed.body)
                verdict = judge_strange(door(name, world), Strange(request, changed.url.partition("?")[2]))
                assert 200 <= verdict.status < 500, odd
    assert tried > len(ODD)


def signs_any_body(record: Provider) -> bool:
    return not (record.opens_body if record.scheme else record.template.fields)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("name", [name for name in RECORDS if signs_any_body(record_of(name))])
def test_no_odd_body_of_a_proven_sender_raises_or_is_our_fault(name: str, world: str) -> None:
    record = record_of(name)
    # Nothing is written into the body before it is signed.
    bare = record.using(timestamp=None, max_age=None) if isinstance(record.timestamp, JSONField) else record
    for body in ODD_BODIES:
        delivery = signed(bare, body)
        verdict = judge(door(name, world), delivery)
        assert (200 <= verdict.status < 500, verdict.body in {None, body}) == (True, True), body
        assert verdict.reason != "signature_mismatch"


@pytest.mark.parametrize("name", [name for name in RECORDS if signs_any_body(record_of(name))])
def test_every_odd_body_can_be_signed(name: str) -> None:
    assert [signed(record_of(name), body).body.startswith(body[:-1]) for body in ODD_BODIES] == [True] * len(ODD_BODIES)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("name", RECORDS)
def test_no_length_a_stranger_declares_raises_or_is_our_fault(name: str, world: str) -> None:
    made = door(name, world)
    genuine = sample(name)
    query = genuine.url.partition("?")[2]

    @quick
    @given(WIRE | st.sampled_from(["0", "+2", "-1", "0_2", "1e1", " 2", "\xb2", "9" * 18, "9" * 400, ""]))
    def holds(length: str) -> None:
        request = Request(genuine.method, PATH, {**genuine.headers, "content-length": length}, genuine.body)
        verdict = judge_strange(made, Strange(request, query))
        assert 200 <= verdict.status < 500
        assert verdict.body is None or genuine.body.startswith(verdict.body)

    holds()


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("name", RECORDS)
def test_no_path_below_a_route_raises_or_is_our_fault(name: str, world: str) -> None:
    made = door(name, world)
    genuine = sample(name)
    query = genuine.url.partition("?")[2]

    @quick
    @given(st.binary(max_size=20) | PLAIN.map(str.encode))
    def holds(below: bytes) -> None:
        raw = f"{PATH}/".encode() + below
        request = Request(genuine.method, PATH, genuine.headers, genuine.body)
        where: dict[str, Any] = {"path": raw.decode("utf-8", "replace"), "raw_path": None}
        if world == "wsgi":
            where = {"PATH_INFO": raw.decode("latin-1")}
        assert 200 <= judge_strange(made, Strange(request, query), **where).status < 500

    holds()


# Both worlds agree


@pytest.mark.parametrize("name", RECORDS)
def test_both_worlds_agree_about_a_strangers_request(name: str) -> None:
    @thorough
    @given(strange_requests(record_of(name), 1))
    def holds(strange: Strange) -> None:
        assert judge_strange(door(name, "wsgi"), strange) == judge_strange(door(name, "asyncio"), strange)

    holds()


@pytest.mark.parametrize("name", RECORDS)
def test_both_worlds_agree_about_a_mutated_delivery(name: str) -> None:
    @quick
    @given(mutated_deliveries(record_of(name)))
    def holds(strange: Strange) -> None:
        assert judge_strange(door(name, "wsgi"), strange) == judge_strange(door(name, "asyncio"), strange)

    holds()


@pytest.mark.parametrize("name", RECORDS)
def test_trio_agrees_with_asyncio(name: str) -> None:
    @quick
    @given(strange_requests(record_of(name), 2) | mutated_deliveries(record_of(name)))
    def holds(strange: Strange) -> None:
        assert judge_strange(door(name, "trio"), strange) == judge_strange(door(name, "asyncio"), strange)

    holds()


# How a body arrives changes nothing


class Dribble(io.BytesIO):
    """An input that gives no more than the next of its sizes at a time."""

    def __init__(self, body: bytes, sizes: list[int]) -> None:
        super().__init__(body)
        self._sizes = sizes

    def read(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        assert size >= 0
        return super().read(min(size, self._sizes.pop() if self._sizes else size))


def in_chunks(body: bytes, cuts: list[int]) -> list[Message]:
    edges = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    chunks = [body[start:end] for start, end in itertools.pairwise(edges)]
    last = len(chunks) - 1
    return [{"type": "http.request", "body": chunk, "more_body": at < last} for at, chunk in enumerate(chunks)]


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("name", RECORDS)
def test_chunk_boundaries_never_change_a_verdict(name: str, world: str) -> None:
    cuts = st.lists(st.integers(0, 10_000), max_size=8)

    @quick
    @given(mutated_deliveries(record_of(name)), cuts, st.sampled_from([0, 10, 1 << 20]))
    def holds(strange: Strange, cuts: list[int], threshold: int) -> None:
        whole = judge_strange(door(name, world), strange)
        made = door(name, world, threshold)
        body = strange.request.body
        if world == "wsgi":
            cut: dict[str, Any] = {"wsgi__input": Dribble(body, [size + 1 for size in cuts])}
        else:
            cut = {"events": in_chunks(body, cuts)}
        assert judge_strange(made, strange, **cut) == whole
        assert made.app.spool.used == 0

    holds()


# What is signed verifies, and nothing else does


@pytest.mark.parametrize("name", RECORDS)
def test_what_a_record_signs_it_verifies(name: str) -> None:
    record = record_of(name)
    chain = record.chain(secret_of(record), **needs(record))
    moments = st.integers(1_000_000_000, 9_999_999_999)
    events = st.none() | st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)
    if isinstance(record.id, JSONField | FormField):
        events = st.none()

    @thorough
    @given(bodies(record), moments, events)
    def holds(body: Any, moment: int, event: str | None) -> None:
        delivery = signed(record, body, at=moment, event=event)
        webhook = chain.verify(**delivery._asdict(), now=moment)
        assert webhook.key_index == 0
        assert webhook.timestamp == (moment if record.timestamp else None)
        if record.coverage == "body":
            assert webhook.body == delivery.body
        if record.coverage == "fields" and not record.scheme:
            assert set(webhook.fields) == set(record.template.fields)
        if event is not None and record.id is not None:
            assert webhook.id == event

    holds()


@pytest.mark.parametrize("name", RECORDS)
def test_what_one_secret_signs_another_refuses(name: str) -> None:
    record = record_of(name)
    other = {
        "utf-8": "x" * 24,
        "sha1": "x" * 24,
        "hex": "ab" * 24,
        "base64": "AAAB" * 8,
        "whsec": "whsec_" + "AAAB" * 8,
    }
    chain = record.chain(other[record.key_encoding], **needs(record))
    made = make_endpoint("wsgi", routes={PATH: chain}, store=Unremembering())

    @quick
    @given(bodies(record))
    def holds(body: Any) -> None:
        verdict = judge(made, signed(record, body))
        assert verdict == (record.refusal_status, "signature_mismatch", None)

    holds()


def accepted(name: str, world: str, delivery: Delivery) -> bool:
    return judge(door(name, world), delivery).body is not None


@pytest.mark.parametrize("name", RECORDS)
def test_the_sample_is_accepted_in_every_world(name: str) -> None:
    assert [judge(door(name, world), sample(name)) for world in ("wsgi", "asyncio", "trio")] == [
        (200, "", sample(name).body)
    ] * 3


def flipped(raw: bytes, start: int = 0, end: int | None = None) -> list[bytes]:
    """Return *raw* with one byte changed, for every byte from *start* to *end* and several changes."""
    return [
        raw[:at] + bytes([raw[at] ^ mask]) + raw[at + 1 :]
        for at in range(start, len(raw) if end is None else end)
        for mask in (0x01, 0x20, 0x80)
    ]


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("name", [name for name in RECORDS if record_of(name).coverage == "body"])
def test_any_flipped_byte_of_a_covered_body_is_refused(name: str, world: str) -> None:
    genuine = sample(name)
    verdicts = {judge(door(name, world), genuine._replace(body=body)) for body in flipped(genuine.body)}
    assert verdicts == {(record_of(name).refusal_status, "signature_mismatch", None)}


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("name", [name for name in RECORDS if record_of(name).template.fields])
def test_any_flipped_byte_of_a_covered_field_is_refused(name: str, world: str) -> None:
    genuine = sample(name)
    starts = [at for at in range(len(genuine.body)) if genuine.body.startswith(DIGITS.encode(), at)]
    assert len(starts) == len(own_fields(record_of(name)))
    for start in starts:
        bodies = flipped(genuine.body, start, start + len(DIGITS))
        assert [body for body in bodies if accepted(name, world, genuine._replace(body=body))] == []


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("name", RECORDS)
def test_any_flipped_byte_of_a_signature_is_refused(name: str, world: str) -> None:
    record, genuine = record_of(name), sample(name)
    text = offered(record, genuine)
    assert not accepted(name, world, replaced(genuine, text, ""))
    others = [encoded(raw, record.encoding) for raw in flipped(decoded(text, record.encoding))]
    assert [other for other in others if accepted(name, world, replaced(genuine, text, other))] == []


def decoded(text: str, encoding: str) -> bytes:
    match encoding:
        case "hex":
            return bytes.fromhex(text)
        case "base64":
            return base64.b64decode(text)
        case "base64url":
            return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return text.encode("latin-1")


@pytest.mark.parametrize("name", RECORDS)
def test_any_other_letter_in_a_signature_is_refused(name: str) -> None:
    record, genuine = record_of(name), sample(name)
    text = offered(record, genuine)
    alike: Callable[[str], str] = str.lower if record.encoding == "hex" else str
    others = [
        text[:at] + letter + text[at + 1 :]
        for at in range(len(text))
        for letter in "0A/=\xe9"
        if alike(letter) != alike(text[at])
    ]
    assert [other for other in others if accepted(name, "wsgi", replaced(genuine, text, other))] == []


@pytest.mark.parametrize("name", RECORDS)
def test_no_shorter_or_longer_signature_is_accepted(name: str) -> None:
    record, genuine = record_of(name), sample(name)
    text = offered(record, genuine)
    others = [text[:size] for size in range(len(text))] + [text + more for more in ("0", "00", "=", "A", "AAAA", text)]
    # Padding that base64url may leave out is no other signature.
    others = [other for other in others if record.encoding != "base64url" or other.rstrip("=") != text.rstrip("=")]
    assert [other for other in others if accepted(name, "wsgi", replaced(genuine, text, other))] == []
