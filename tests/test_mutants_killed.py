"""What mutation testing found untested: claims that a wrong comparison, constant or line would have broken unnoticed.

``tools/mutants.py`` changes the modules that decide, one thing at a time; each test here ends the life of at least one
such mutant that every other test let live. Grouped by module.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest
from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa

from hooklatch import ConfigError, FormField, Header, JSONField, Party, Provider, Rejected, Secret
from hooklatch.documents import FormDocument, JSONDocument
from hooklatch.errors import Answer, BodyTooLarge
from hooklatch.keys import HMACKey, TokenKey, padded
from hooklatch.lines import byte_lines
from hooklatch.providers import GITHUB, STANDARD_WEBHOOKS, STRIPE
from hooklatch.routes import Routes
from hooklatch.schemes import Setting, Statement
from hooklatch.secrets import Ring, Source, decode_secret
from hooklatch.stores import MemoryStore
from hooklatch.template import Template
from hooklatch.testing import Request, call_wsgi
from hooklatch.types import Facts, Head
from hooklatch.verifiers import Age, Length, Method, Overrides, Statements, Timestamp
from hooklatch.verifiers.offers import Offers, encoded
from hooklatch.verifiers.proof import judge
from hooklatch.wsgi import WebhookMiddleware
from worlds import NOW, Endpoint

MakeEndpoint = Callable[..., Endpoint]

SECRET = "a secret of sixteen"
PLAIN = Provider(name="plain", signature=Header("x-signature"))
TIMED = PLAIN.using(name="timed", timestamp=Header("x-timestamp"), signed="{timestamp}.{body}", max_age=300)


def head(method: str = "POST", length: int | None = None, **headers: str) -> Head:
    lines = byte_lines({name.replace("_", "-"): value for name, value in headers.items()})
    return Head(method, "/hook", "", lines, NOW, length)


def tag(content: bytes) -> str:
    return hmac.new(SECRET.encode(), content, "sha256").hexdigest()


def reason_of(judge: Callable[[], object]) -> str:
    """Return why *judge* refuses; empty if it does not."""
    try:
        judge()
    except Answer as answer:
        return answer.reason
    return ""


# verifiers/age.py


@pytest.mark.parametrize(
    ("seconds", "reason"), [(0.8, "timestamp_expired"), (-0.8, "timestamp_in_future"), (0.5, ""), (-0.5, ""), (0, "")]
)
def test_tolerances_under_a_second_tell_past_from_future(seconds: float, reason: str) -> None:
    facts = Facts(head())
    facts.timestamp = NOW - seconds
    assert reason_of(lambda: Age(0.5, 0.5, head=True).open(facts.head, facts)) == reason


@pytest.mark.parametrize("in_head", [True, False])
def test_the_age_of_what_has_no_timestamp_is_refused(in_head: bool) -> None:
    facts = Facts(head())

    def judge() -> None:
        check = Age(300, 60, head=in_head).open(facts.head, facts)
        assert check is not None
        check.finish(facts)

    assert reason_of(judge) == "timestamp_missing"


# verifiers/event_id.py

ID = PLAIN.using(name="id", id=Header("x-id"), signed="{id}.{body}")
ID_IN_BODY = PLAIN.using(name="id_in_body", id=JSONField("id"))


@pytest.mark.parametrize(("text", "reason"), [("i" * 1024, ""), ("i" * 1025, "id_malformed"), ("a.b", "id_malformed")])
def test_an_id_in_the_head_has_at_most_1024_letters_and_no_separator(text: str, reason: str) -> None:
    lines = {"x-id": text, "x-signature": tag(f"{text}.".encode())}
    assert reason_of(lambda: ID.chain(SECRET).verify(headers=lines, body=b"")) == reason


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([], "id_missing"),
        ([("x-id", "")], "id_missing"),
        ([("x-id", "a b")], "id_malformed"),
        ([("x-id", "a,b")], "id_malformed"),
        ([("x-id", "i" * 9000)], "id_malformed"),
        ([("x-id", "a"), ("x-id", "a")], "header_duplicated"),
    ],
)
def test_an_id_that_the_head_does_not_give_once_and_plainly_is_refused(
    lines: list[tuple[str, str]], reason: str
) -> None:
    given = [*lines, ("x-signature", "0" * 64)]
    assert reason_of(lambda: ID.chain(SECRET).verify(headers=given, body=b"")) == reason


@pytest.mark.parametrize(("text", "reason"), [("i" * 1024, ""), ("i" * 1025, "id_malformed")])
def test_an_id_in_the_body_has_at_most_1024_letters(text: str, reason: str) -> None:
    body = f'{{"id":"{text}"}}'.encode()
    chain = ID_IN_BODY.chain(SECRET)
    assert reason_of(lambda: chain.verify(headers={"x-signature": tag(body)}, body=body)) == reason


@pytest.mark.parametrize(
    ("body", "found", "reason"),
    [
        (b'{"id":"a, b."}', "a, b.", ""),
        (b'{"id":""}', None, ""),
        (b"{}", None, ""),
        (b"no json", None, ""),
        (b'{"id":1,"id":1}', None, "id_malformed"),
        (b'{"id":[1]}', None, "id_malformed"),
    ],
)
def test_an_id_in_the_body_is_read_if_it_is_there_and_refused_if_it_is_two(
    body: bytes, found: str | None, reason: str
) -> None:
    chain = ID_IN_BODY.chain(SECRET)
    lines = {"x-signature": tag(body)}
    assert reason_of(lambda: chain.verify(headers=lines, body=body)) == reason
    if not reason:
        assert chain.verify(headers=lines, body=body).id == found


# verifiers/length.py


@pytest.mark.parametrize(("length", "refused"), [(None, False), (0, False), (100, False), (101, True)])
def test_a_declared_length_over_the_bound_is_refused_by_the_head_alone(length: int | None, refused: bool) -> None:
    if refused:
        with pytest.raises(BodyTooLarge, match=r"101 bytes declared, 100 allowed"):
            Length(100).open(head(length=length), Facts(head()))
    else:
        Length(100).open(head(length=length), Facts(head()))


def test_a_body_that_says_it_is_too_large_is_refused_before_a_byte_is_read(world: str, endpoint: MakeEndpoint) -> None:
    app = endpoint(routes={"/hook": PLAIN.chain(SECRET, max_body=10)})
    request = Request("POST", "/hook", {"x-signature": tag(b"x" * 11)}, b"x" * 11)
    # Whoever reads finds nothing, and would call the body incomplete.
    gone: Any = {"wsgi__input": None} if world == "wsgi" else {"events": []}
    assert app.post(request, **gone).status == 413
    assert app.reason == "body_too_large"


# verifiers/method.py


def test_a_refused_method_learns_which_are_allowed(endpoint: MakeEndpoint) -> None:
    app = endpoint(routes={"/hook": PLAIN.chain(SECRET, methods=["POST", "PUT"])})
    answer = app.post(Request("GET", "/hook", {}, b""))
    assert (answer.status, answer.header("allow")) == (405, "POST, PUT")
    assert reason_of(lambda: Method(["PUT"]).open(head("PUT"), Facts(head()))) == ""


# verifiers/overrides.py


@pytest.mark.parametrize(
    "name",
    [
        "X-HTTP-Method-Override",
        "X-HTTP-Method",
        "X-Method-Override",
        "X-Original-URL",
        "X-Original-URI",
        "X-Rewrite-URL",
    ],
)
def test_no_header_may_make_a_proven_request_mean_another_one(name: str, endpoint: MakeEndpoint) -> None:
    app = endpoint(routes={"/hook": PLAIN.chain(SECRET)})
    genuine = PLAIN.sign(b"{}", secret=SECRET, url="/hook")
    answer = app.post(genuine._replace(headers={**genuine.headers, name: "/other"}))
    assert (answer.status, app.reason, app.calls) == (400, "request_ambiguous", [])
    with pytest.raises(Rejected, match=name.lower()):
        Overrides().open(Head("POST", "/hook", "", byte_lines({name: "PUT"}), NOW), Facts(head()))


# verifiers/origin.py


def test_two_origins_are_refused_even_if_both_are_allowed() -> None:
    chain = PLAIN.chain(SECRET, cors=["https://shop.example"])
    genuine = PLAIN.sign(b"{}", secret=SECRET)
    one = [*genuine.headers.items(), ("origin", "https://shop.example")]
    chain.verify(headers=one, body=b"{}")
    twice = [*one, ("origin", "https://shop.example")]
    assert reason_of(lambda: chain.verify(headers=twice, body=b"{}")) == "origin_not_allowed"


# verifiers/signature.py


@pytest.mark.parametrize("encoding", ["base64", "base64url"])
def test_a_signature_may_end_in_any_letter(encoding: str) -> None:
    record = PLAIN.using(encoding=encoding)
    chain = record.chain(SECRET)
    ends = set()
    for number in range(300):
        body = str(number).encode()
        raw = hmac.new(SECRET.encode(), body, "sha256").digest()
        encode = base64.b64encode if encoding == "base64" else base64.urlsafe_b64encode
        text = encode(raw).decode()
        ends.add(text.rstrip("=")[-1])
        assert record.sign(body, secret=SECRET).headers["x-signature"] == (
            text if encoding == "base64" else text.rstrip("=")
        )
        chain.verify(headers={"x-signature": text}, body=body)
    # The last of 43 letters holds four bits of the tag.
    assert len(ends) == 16


def test_a_signature_without_padding_may_end_in_any_letter() -> None:
    record = PLAIN.using(encoding="base64url", algorithm="hmac-sha384")
    chain = record.chain(SECRET)
    ends = set()
    for number in range(1000):
        body = str(number).encode()
        text = base64.urlsafe_b64encode(hmac.new(SECRET.encode(), body, "sha384").digest()).decode()
        assert record.sign(body, secret=SECRET).headers["x-signature"] == text
        chain.verify(headers={"x-signature": text}, body=body)
        ends.add(text[-1])
    assert len(ends) == 64


def test_hmac_is_cheap_so_eight_signatures_are_tried_with_every_secret() -> None:
    record = PLAIN.using(signature=Header("x-signature", many=True))
    secrets = [f"{SECRET} {number}" for number in range(4)]
    right = hmac.new(secrets[3].encode(), b"{}", "sha256").hexdigest()
    lines = {"x-signature": ",".join(["0" * 64] * 7 + [right])}
    assert record.chain(secrets).verify(headers=lines, body=b"{}").key_index == 3


def test_base64url_has_one_alphabet_and_right_padding_or_none() -> None:
    chain = PLAIN.using(encoding="base64url").chain(SECRET)
    body = next(
        body
        for number in range(1000)
        if {"-", "_"}
        <= set(base64.urlsafe_b64encode(hmac.new(SECRET.encode(), body := b"%d" % number, "sha256").digest()).decode())
    )
    text = base64.urlsafe_b64encode(bytes.fromhex(tag(body))).decode()
    for good in (text, text.rstrip("=")):
        chain.verify(headers={"x-signature": good}, body=body)
    for bad in (
        text.replace("-", "+"),
        text.replace("_", "/"),
        text + "=",
        text + "==",
        "=" + text,
        text.rstrip("=") + "A",
        text[:-2] + "=" + text[-2],
    ):
        assert reason_of(lambda bad=bad: chain.verify(headers={"x-signature": bad}, body=body)) == "signature_malformed"  # type: ignore[misc]


def test_encoded_says_what_decoders_read() -> None:
    raw = bytes(range(240, 256)) + b"\xfb\xff"
    assert encoded(raw, "base64url") == base64.urlsafe_b64encode(raw).decode().rstrip("=")
    assert encoded(raw, "base64") == base64.b64encode(raw).decode()
    assert encoded(raw, "hex") == raw.hex()
    assert encoded(b"shown as it is", "text") == "shown as it is"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("abcdefghijk=" + "0" * 64, "algorithm_not_allowed"),
        ("abcdefghijkl=" + "0" * 64, "signature_malformed"),
        ("=" + "0" * 64, "algorithm_not_allowed"),
    ],
)
def test_another_prefix_is_told_from_no_prefix_by_its_first_twelve_letters(text: str, reason: str) -> None:
    chain = GITHUB.chain(SECRET)
    assert reason_of(lambda: chain.verify(headers={"x-hub-signature-256": text}, body=b"")) == reason


@pytest.mark.parametrize("signed", ["{path}\n{body}", "{query}\n{body}"])
def test_a_nul_in_what_the_head_tells_is_refused(signed: str) -> None:
    record = PLAIN.using(signed=signed)
    chain = record.chain(SECRET)
    lines = byte_lines({"x-signature": tag(b"/a\0b\n{}")})

    def judge() -> None:
        facts = Facts(Head("POST", "/a", "/a\0b", lines, NOW, target="/a\0b"))
        for verifier in chain.verifiers:
            verifier.open(facts.head, facts)

    assert reason_of(judge) == "signature_malformed"


def test_a_signature_in_the_second_of_two_places_of_a_body_counts() -> None:
    record = PLAIN.using(signature=(JSONField("old"), JSONField("new")), signed="{field.n}")
    chain = record.chain(SECRET)
    lines = {"content-type": "application/json"}
    for name in ("old", "new"):
        body = f'{{"n":"7","{name}":"{tag(b"7")}"}}'.encode()
        assert chain.verify(headers=lines, body=body).fields == {"n": "7"}
    assert reason_of(lambda: chain.verify(headers=lines, body=b'{"n":"7"}')) == "signature_missing"
    assert reason_of(lambda: chain.verify(headers=lines, body=b'{"n":"7","old":"","new":""}')) == "signature_missing"


def test_a_record_that_says_nowhere_where_the_signature_stands_is_refused() -> None:
    with pytest.raises(ConfigError, match="signature="):
        PLAIN.using(signature=()).chain(SECRET)


# verifiers/timestamp.py


@pytest.mark.parametrize(
    ("unit", "good", "bad"),
    [
        ("s", "1700000000", ["999999999", "17000000000", "01700000000"]),
        ("ms", "1700000000000", ["999999999999", "17000000000000", "170000000000"]),
    ],
)
def test_a_timestamp_that_touches_open_text_has_the_width_of_today(unit: Any, good: str, bad: list[str]) -> None:
    record = TIMED.using(signed="{timestamp}{body}", timestamp_unit=unit)
    chain = record.chain(SECRET, max_age=None)
    for text, reason in [(good, ""), *((text, "timestamp_malformed") for text in bad)]:
        lines = {"x-timestamp": text, "x-signature": tag(f"{text}x".encode())}
        assert reason_of(lambda lines=lines: chain.verify(headers=lines, body=b"x", now=NOW)) == reason  # type: ignore[misc]


def test_a_timestamp_header_that_is_no_list_is_told_from_one_too_long() -> None:
    lines = {"x-signature": tag(b"{}"), "x-meta": "no part", "x-timestamp": "1" * 9000}
    parts = TIMED.using(timestamp=Header("x-meta", part="t")).chain(SECRET)
    assert reason_of(lambda: parts.verify(headers=lines, body=b"{}", now=NOW)) == "signature_malformed"
    whole = TIMED.chain(SECRET)
    assert reason_of(lambda: whole.verify(headers=lines, body=b"{}", now=NOW)) == "timestamp_malformed"


def test_a_signed_timestamp_that_is_absent_is_missing_even_if_its_age_does_not_matter(endpoint: MakeEndpoint) -> None:
    app = endpoint(routes={"/hook": TIMED.chain(SECRET, max_age=None)})
    assert app.post(Request("POST", "/hook", {"x-signature": tag(b".{}")}, b"{}")).status == 401
    assert app.reason == "timestamp_missing"


# secrets.py


def test_a_sender_with_a_public_key_may_have_test_agents(endpoint: MakeEndpoint) -> None:
    private = ECC.generate(curve="Ed25519")
    record = PLAIN.using(algorithm="ed25519")
    app = endpoint(routes={"/hook": record.chain(public_keys=raw(private), test_agents=["Test/*"])})
    lines = {"x-signature": eddsa.new(private, "rfc8032").sign(b"{}").hex(), "user-agent": "Test/1"}
    assert app.post(Request("POST", "/hook", lines, b"{}")).status == 200
    assert (app.reason, app.calls) == ("diverted", [])


def raw(private: ECC.EccKey) -> bytes:
    return bytes(private.public_key().export_key(format="raw"))


def test_an_unknown_form_of_a_secret_is_refused() -> None:
    with pytest.raises(ConfigError, match="key_encoding='base32' is unknown"):
        decode_secret("text", "base32")


def test_a_source_keeps_the_keys_of_the_newest_1000_parties() -> None:
    record = PLAIN
    source = Source(lambda head: None, record.key, record.key_encoding)
    rings = [source.ring(Party(f"shop {number}", SECRET)) for number in range(1001)]
    assert source.ring(Party("shop 1", SECRET)) is rings[1]
    assert source.ring(Party("shop 1000", SECRET)) is rings[1000]
    anew = source.ring(Party("shop 0", SECRET))
    assert anew is not rings[0]
    assert anew.party == "shop 0"
    assert len(source._rings) == 1000


# chain.py


def test_a_body_of_undeclared_length_is_refused_once_it_is_too_large(endpoint: MakeEndpoint, world: str) -> None:
    app = endpoint(routes={"/hook": PLAIN.chain(SECRET, max_body=10)})
    for size, status in ((11, 413), (10, 200)):
        body = b"x" * size
        request = Request("POST", "/hook", {"x-signature": tag(body)}, body)
        if world == "wsgi":
            answer = app.post(request, CONTENT_LENGTH="", wsgi__input_terminated=True)
        else:
            event = {"type": "http.request", "body": body}
            answer = app.post(request, headers=[(b"x-signature", tag(body).encode())], events=[event])
        assert answer.status == status
    assert [seen.body for seen in app.calls] == [b"x" * 10]


def test_requests_that_differ_in_what_an_application_decides_by_have_two_fingerprints() -> None:
    chain = PLAIN.using(dispatch=("x-event",)).chain(SECRET)

    def fingerprint(method: str, query: str, *lines: tuple[str, str]) -> bytes:
        facts = Facts(Head(method, "/hook", query, byte_lines(lines), NOW))
        facts.names = (b"name",)
        return chain.claim_for(facts).fingerprint

    kind, event = "content-type", "x-event"
    given = [
        fingerprint("POST", ""),
        fingerprint("PUT", ""),
        fingerprint("POST", "a"),
        fingerprint("POST", "", (kind, "a")),
        fingerprint("POST", "", (event, "a")),
        fingerprint("POST", "", (event, "a"), (event, "b")),
        fingerprint("POST", "", (event, "a,b")),
        fingerprint("POST", "a", (kind, "b")),
        fingerprint("POST", "a\0b"),
        fingerprint("POST", "a\0"),
        fingerprint("POST", "a", (kind, "b"), (kind, "c")),
        fingerprint("POST", "a\0b", (kind, "c")),
        fingerprint("POST", "a", (kind, "b\0c")),
        fingerprint("POST", "a\0b\0c"),
        fingerprint("POST", "\udcff"),
        fingerprint("POST", "\0\udcff"),
    ]
    assert len(set(given)) == len(given)


def test_a_duplicate_is_told_when_the_first_one_came(endpoint: MakeEndpoint) -> None:
    app = endpoint(routes={"/hook": PLAIN.chain(SECRET)})
    genuine = PLAIN.sign(b"{}", secret=SECRET, url="/hook")
    before = datetime.now(UTC).replace(microsecond=0)
    app.post(genuine)
    told = app.post(genuine).header("hooklatch-duplicate")
    assert told is not None
    assert before <= datetime.fromisoformat(told) <= datetime.now(UTC)


# documents.py


def test_a_step_into_a_list_ends_at_its_end() -> None:
    document = JSONDocument(b'{"list":["a","b"]}')
    assert [document.text("list", str(place)) for place in range(4)] == ["a", "b", None, None]
    assert document.text("list", "-1") is None
    assert JSONDocument(b"[" + b'"x",' * 12 + b'"y"]').text("12") == "y"


@pytest.mark.parametrize(("depth", "good"), [(64, True), (65, False)])
def test_a_document_has_at_most_64_levels(depth: int, good: bool) -> None:
    document = JSONDocument(b"[" * (depth - 1) + b"1" + b"]" * (depth - 1))
    assert (reason_of(document.bounded) == "") is good


@pytest.mark.parametrize(("count", "good"), [(1000, True), (1001, False)])
def test_a_document_has_at_most_1000_values(count: int, good: bool) -> None:
    document = JSONDocument(b"[" + b",".join([b"1"] * (count - 1)) + b"]")
    assert (reason_of(document.bounded) == "") is good
    form = b"&".join([b"a=1"] * count)
    assert (reason_of(lambda: FormDocument(form)) == "") is good


# template.py

NEVER = {"path": "?# \t\r\n\0", "query": "# \t\r\n\0", "url": " \t\r\n\0", "id": "", "header.x": "", "field.x": ""}


@pytest.mark.parametrize("name", NEVER)
def test_a_separator_is_barred_unless_the_value_before_it_can_never_contain_it(name: str) -> None:
    for code in (*range(0x7B), 0x7C, 0x7E, 0x7F):
        separator = chr(code)
        barred = Template(f"{{{name}}}{separator}{{timestamp}}").barred
        assert barred == ({} if separator in NEVER[name] else {name: separator})


def test_a_template_that_is_no_text_is_refused() -> None:
    with pytest.raises(ConfigError, match="not UTF-8"):
        Template("\udc80{body}")


# keys.py


def test_only_keys_longer_than_a_block_are_hashed() -> None:
    assert padded(b"k" * 64, 64, hashlib.sha256) == b"k" * 64
    assert padded(b"k" * 65, 64, hashlib.sha256) == hashlib.sha256(b"k" * 65).digest().ljust(64, b"\0")
    assert padded(b"k" * 63, 64, hashlib.sha256) == b"k" * 63 + b"\0"


@pytest.mark.parametrize("secret", [b"", b"\0", b"\0" * 64])
def test_keys_of_nothing_are_refused_by_the_key_itself(secret: bytes) -> None:
    with pytest.raises(ConfigError, match="empty"):
        HMACKey("hmac-sha256", secret)
    with pytest.raises(ConfigError, match="empty"):
        TokenKey(secret)


def test_every_letter_but_nul_makes_a_key() -> None:
    letters = [bytes([number]) for number in range(1, 256)]
    assert len({HMACKey("hmac-sha256", letter).sign(b"") for letter in letters}) == 255
    assert [TokenKey(letter).sign(b"") for letter in letters] == letters


def test_an_unknown_algorithm_is_refused_by_the_key_itself() -> None:
    with pytest.raises(ConfigError, match="algorithm='hmac-md5' is unknown"):
        HMACKey("hmac-md5", b"secret")


def test_every_offer_is_compared_whole() -> None:
    key = HMACKey("hmac-sha256", SECRET.encode())
    right = key.sign(b"content")
    running = key.start()
    running.update(b"content")
    digest = key.digest(running)
    assert digest == right == key.name(digest)
    for offers, good in (
        ([right], True),
        ([b"", right], True),
        ([right, b"\0" * 32], True),
        ([], False),
        ([right[:-1]], False),
        ([right + b"\0"], False),
        ([b"\0" * 32, right[::-1]], False),
    ):
        assert key.accepts(digest, offers) is good


def test_a_token_is_shown_and_never_a_digest_of_the_content() -> None:
    key = TokenKey(b"shown token")
    running = key.start()
    running.update(b"content")
    digest = key.digest(running)
    assert digest == hashlib.sha256(b"content").digest() == key.name(digest)
    assert key.accepts(digest, [b"wrong", b"shown token"])
    assert not key.accepts(digest, [digest, b"shown toke", b""])
    assert key.sign(b"anything") == b"shown token"
    assert (key.size, key.costly) == (0, False)


# Whole senders, where one line would change what they prove.


def test_a_timestamp_that_is_not_the_signed_one_is_refused() -> None:
    chain = TIMED.chain(SECRET)
    stamp = str(int(NOW))
    right = {"x-signature": tag(stamp.encode() + b".{}"), "x-timestamp": stamp}
    chain.verify(headers=right, body=b"{}", now=NOW)
    for other in (str(int(NOW) + 1), f"0{stamp}", f"{stamp}0", stamp[:-1]):
        assert reason_of(lambda other=other: chain.verify(headers={**right, "x-timestamp": other}, body=b"{}", now=NOW))  # type: ignore[misc]


@pytest.mark.parametrize("record", [STRIPE, STANDARD_WEBHOOKS, GITHUB], ids=lambda record: record.name)
def test_an_empty_body_is_signed_like_any_other(record: Provider) -> None:
    secret = "whsec_" + base64.b64encode(b"twenty-four bytes of key").decode()
    delivery = record.sign(b"", secret=secret, at=NOW)
    chain = record.chain(secret)
    assert chain.verify(headers=delivery.headers, body=b"", now=NOW).body == b""
    assert reason_of(lambda: chain.verify(headers=delivery.headers, body=b" ", now=NOW)) == "signature_mismatch"


@pytest.mark.parametrize("name", ["other.name", "header", "header.", "field.", ".name", "field"])
def test_only_headers_and_fields_have_names_with_a_dot(name: str) -> None:
    with pytest.raises(ConfigError, match="unknown"):
        Template(f"{{{name}}}.{{body}}")


def test_whether_a_secret_is_for_tests_is_said_by_name() -> None:
    positional: Any = Secret
    with pytest.raises(TypeError):
        positional(SECRET, True)
    assert Secret(SECRET, test=True).test


# The newer verifiers, and what the doors settle by


class Costly:
    """A key that takes long and says no."""

    key: Any
    size = 0
    pace = 1 << 18
    costly = True
    place = 0
    test = False

    def __init__(self) -> None:
        self.key = self
        self.asked = 0

    def start(self) -> Any:
        return hashlib.sha256()

    def digest(self, running: Any) -> bytes:
        found: bytes = running.digest()
        return found

    def name(self, digest: bytes) -> bytes:
        return digest

    def accepts(self, digest: bytes, offered: Any) -> bool:
        self.asked += len(offered)
        return False


@pytest.mark.parametrize(
    ("offers", "contents", "reason"), [(8, 2, "mismatch"), (4, 4, "mismatch"), (6, 3, "malformed")]
)
def test_sixteen_checks_of_a_costly_key_are_made_and_no_more(offers: int, contents: int, reason: str) -> None:
    facts, key = Facts(head()), Costly()
    made: Any = (key,)
    facts.keys = made
    states = [hashlib.sha256() for _ in range(contents)]
    assert reason_of(lambda: judge(facts, states, [b"x"] * offers)) == f"signature_{reason}"
    assert key.asked == (offers * contents if reason == "mismatch" else 0)


def test_seventeen_checks_of_a_costly_key_are_one_too_many() -> None:
    facts = Facts(head())
    made: Any = tuple(Costly() for _ in range(17))
    facts.keys = made
    assert reason_of(lambda: judge(facts, [hashlib.sha256()] * 17, [b"x"])) == "signature_malformed"


class Batch:
    """A scheme whose sender has signed so many numbers."""

    def __init__(self, count: int) -> None:
        self.count = count

    def look(self, setting: Any, facts: Any) -> None: ...

    def statements(self, setting: Any, facts: Any) -> list[Statement]:
        texts = [str(number).encode() for number in range(self.count)]
        tags = [hmac.new(SECRET.encode(), text, hashlib.sha256).hexdigest() for text in texts]
        return [Statement(text, [tag], {"number": text.decode()}) for text, tag in zip(texts, tags, strict=True)]


@pytest.mark.parametrize(
    ("count", "reason"), [(0, "signature_malformed"), (1, ""), (100, ""), (101, "signature_malformed")]
)
def test_a_request_holds_one_to_a_hundred_signed_contents(count: int, reason: str) -> None:
    facts = Facts(head())
    keys: Any = Ring(SECRET, lambda raw: HMACKey("hmac-sha256", raw), "utf-8").active(NOW)
    facts.keys = keys
    scheme: Any = Batch(count)
    verifier = Statements(scheme, Setting(PLAIN), Offers("hex", size=32))
    assert reason_of(lambda: verifier.finish(facts)) == reason
    assert facts.fields == ({"number": "0"} if count == 1 else {})


@pytest.mark.parametrize(("status", "again"), [(200, False), (299, False), (300, True), (199, True)])
def test_only_a_2xx_settles_a_delivery_as_done(status: int, again: bool, endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={"/hook": PLAIN.chain(SECRET)}, statuses=[status, 200])
    delivery = PLAIN.sign(b"{}", secret=SECRET, url="/hook")
    made.post(delivery)
    made.post(delivery)
    assert len(made.calls) == (2 if again else 1)


def test_an_answer_as_long_as_it_says_settles_and_a_shorter_one_does_not() -> None:
    lengths = iter(["2", "3", "2"])

    def application(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Length", next(lengths))])
        return [b"ok"]

    for done in (True, False):
        store = MemoryStore()
        app = WebhookMiddleware(application, routes={"/hook": PLAIN.chain(SECRET)}, store=store)
        delivery = PLAIN.sign(b"{}", secret=SECRET, url="/hook")
        call_wsgi(app, delivery)
        assert bool(call_wsgi(app, delivery).header("hooklatch-duplicate")) is done


def test_one_id_of_two_tenants_is_two_deliveries() -> None:
    found = {"a": Party("a", SECRET), "b": Party("b", "another secret of sixteen")}
    record = PLAIN.using(id=JSONField("id"))
    chain = record.chain(lambda head: found[head.query])
    names = []
    for tenant, party in found.items():
        facts = Facts(head())
        facts.id, facts.party = "evt_1", party.name
        names.append(chain.claim_for(facts).keys)
        again = Facts(head())
        again.id, again.party = "evt_1", tenant
        assert chain.claim_for(again).keys == names[-1]
    assert names[0] != names[1]


@pytest.mark.parametrize("status", [399, 402, 404, 500])
def test_a_refusal_has_one_of_three_statuses(status: int) -> None:
    with pytest.raises(ConfigError, match="must be 400, 401 or 403"):
        PLAIN.chain(SECRET, refusal_status=status)


@pytest.mark.parametrize("month", range(1, 13))
def test_a_date_of_http_is_read_in_every_month(month: int) -> None:
    moment = datetime(2026, month, 5, 1, 2, 3, tzinfo=UTC)
    clock = Timestamp(Header("date"), "http", needed=True)
    assert clock.parse(format_datetime(moment, usegmt=True)) == moment.timestamp()


def test_a_date_of_http_that_is_none_is_malformed() -> None:
    clock = Timestamp(Header("date"), "http", needed=True)
    assert reason_of(lambda: clock.parse("Mon, 31 Feb 2026 01:02:03 GMT")) == "timestamp_malformed"


@pytest.mark.parametrize("names", [(), ("",), ("x-good", ""), ("x-good", 7)])
def test_a_header_without_a_name_is_none(names: Any) -> None:
    with pytest.raises(ConfigError, match="name the header"):
        Header(*names)


@pytest.mark.parametrize("name", ["", " a", "a[]", "a\0"])
def test_a_form_field_that_parsers_disagree_about_is_none(name: str) -> None:
    with pytest.raises(ConfigError, match="name the field"):
        FormField(name)


@pytest.mark.parametrize("mount", ["/api", "/api/", "/api//"])
def test_a_mount_may_end_in_slashes(mount: str) -> None:
    routes = Routes({"/hook": PLAIN.chain(SECRET)})
    found = routes.find_mounted("/api/hook", mount)
    assert found is not None
    assert found.pattern == "/hook"
