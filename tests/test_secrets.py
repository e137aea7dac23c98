"""What may be a secret and what may not, rotation, and secrets that a callable finds for each request."""

from __future__ import annotations

import hashlib
import hmac
import threading
import time
import traceback
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from hooklatch import ConfigError, Header, Party, Provider, Secret
from hooklatch.providers import GITHUB, MECHANIC, MOMENTO, PATCHWORKS_SIGNATURE, STANDARD_WEBHOOKS, STRIPE, SVIX
from hooklatch.testing import Request
from hooklatch.types import Delivery, Head, Store
from worlds import NOW, Endpoint

MakeEndpoint = Callable[..., Endpoint]
Source = Callable[[Head], object]

SECRET = "correct-horse-battery-staple"
OLD = "the-secret-of-last-year-0001"
STRANGER = "nobody-configured-this-secret"
WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NEEDLE = "n33dl3-in-the-haystack-5"
BODY = b'{"ref":"main"}'

HEX = GITHUB.using(name="hexed", key_encoding="hex")
BASE64 = GITHUB.using(name="based", key_encoding="base64")


def delivery(secret: str | bytes = SECRET, *, url: str = "/hook", body: bytes = BODY) -> Delivery:
    return GITHUB.sign(body, secret=secret, at=NOW, url=url)


def signed_by_hand(key: bytes) -> Request:
    tag = hmac.new(key, BODY, "sha256").hexdigest()
    return Request("POST", "/hook", {"x-hub-signature-256": f"sha256={tag}"}, BODY)


def assert_unavailable(endpoint: Endpoint, request: Delivery | Request) -> None:
    answer = endpoint.post(request)
    assert (answer.status, endpoint.reason, endpoint.calls) == (503, "secret_unavailable", [])
    retry_after = answer.header("retry-after")
    assert retry_after is not None
    assert int(retry_after) > 0


# What is refused when the application starts.

PEM = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----"
JWK = '{"kty":"oct","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQ"}'

REFUSED: dict[str, tuple[Provider, Any, str]] = {
    "empty": (GITHUB, "", "empty.*environment variable"),
    "empty bytes": (GITHUB, b"", "empty.*environment variable"),
    "blank": (GITHUB, "   ", "empty.*environment variable"),
    "blank bytes": (GITHUB, b" \t", "empty.*environment variable"),
    "a line break alone": (GITHUB, "\r\n", "empty.*environment variable"),
    "only zero bytes": (GITHUB, b"\0" * 32, "empty"),
    "only zero characters": (GITHUB, "\0" * 8, "empty"),
    "only zero bytes in hex": (HEX, "00" * 32, "empty"),
    "only zero bytes in base64": (STANDARD_WEBHOOKS, "whsec_" + "A" * 32, "empty"),
    "a token of zero bytes": (PATCHWORKS_SIGNATURE, b"\0" * 20, "empty"),
    "an int": (GITHUB, 1234567890, "int.*quote"),
    "a float": (GITHUB, 1.2345678e16, "float.*quote"),
    "None": (GITHUB, None, "NoneType|needs the secret"),
    "True": (GITHUB, True, "bool.*quote"),
    "False": (GITHUB, False, "bool.*quote"),
    "an empty list": (GITHUB, [], "list is empty"),
    "an empty tuple": (GITHUB, (), "list is empty"),
    "a list of one empty text": (GITHUB, [""], "empty.*environment variable"),
    "a list with one empty text": (GITHUB, [SECRET, ""], "empty.*environment variable"),
    "a list with None": (GITHUB, [SECRET, None], "NoneType"),
    "a list with a number": (GITHUB, [SECRET, 5], "int.*quote"),
    "a nested list": (GITHUB, [SECRET, [OLD]], "flat list"),
    "a nested tuple": (GITHUB, ((SECRET, OLD),), "flat list"),
    "a dict": (GITHUB, {"live": SECRET}, "dict.*text, bytes, a Secret, or a list"),
    "a set, which has no order": (GITHUB, {SECRET, OLD}, "set.*text, bytes, a Secret, or a list"),
    "a blank before it": (GITHUB, f" {SECRET}", "ends; remove"),
    "a line break behind it": (GITHUB, f"{SECRET}\n", "ends; remove"),
    "a no-break space behind it": (GITHUB, f"{SECRET}\N{NO-BREAK SPACE}", "ends; remove"),
    "whsec_ alone": (STANDARD_WEBHOOKS, "whsec_", "copy it whole"),
    "whsec_ alone where it is text": (STRIPE, "whsec_", "copy it whole"),
    "v1,whsec_ alone": (STANDARD_WEBHOOKS, "v1,whsec_", "copy it whole"),
    "whsec_ and padding alone": (SVIX, "whsec_==", "secret"),
    "whsec_ that is no base64": (STANDARD_WEBHOOKS, "whsec_not*base64*at*all!", "decoded; copy it whole"),
    "whsec_ beyond ASCII": (STANDARD_WEBHOOKS, "whsec_schlüssel", "decoded; copy it whole"),
    "hex that is none": (HEX, "0xdeadbeefdeadbeef", "decoded; copy it whole"),
    "hex of odd length": (HEX, "abc", "decoded; copy it whole"),
    "base64 that is none": (BASE64, "no base64, this", "decoded; copy it whole"),
    "a public key in PEM": (GITHUB, PEM, "asymmetric key.*public key"),
    "a public key in PEM as bytes": (GITHUB, PEM.encode(), "asymmetric key"),
    "a private key in PEM": (GITHUB, PEM.replace("PUBLIC", "PRIVATE"), "asymmetric key"),
    "a certificate": (GITHUB, PEM.replace("PUBLIC KEY", "CERTIFICATE"), "asymmetric key"),
    "an ssh rsa key": (GITHUB, "ssh-rsa AAAAB3NzaC1yc2E user@host", "asymmetric key"),
    "an ssh ed25519 key": (GITHUB, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 user@host", "asymmetric key"),
    "an ssh ecdsa key": (GITHUB, "ecdsa-sha2-nistp256 AAAAE2VjZHNh user@host", "asymmetric key"),
    "a JWK": (GITHUB, JWK, "asymmetric key"),
    "a JWK over several lines": (GITHUB, '{\n  "crv": "Ed25519",\n  "kty": "OKP"\n}', "asymmetric key"),
    "a JWK as bytes": (GITHUB, JWK.encode(), "asymmetric key"),
    "whpk_": (STANDARD_WEBHOOKS, "whpk_MCowBQYDK2VwAyEAMCowBQYDK2VwAyEA", "asymmetric key"),
    "whsk_": (STANDARD_WEBHOOKS, "whsk_MCowBQYDK2VwAyEAMCowBQYDK2VwAyEA", "asymmetric key"),
    "env:": (GITHUB, "env:GITHUB_SECRET", "placeholder.*put the value"),
    "file:": (GITHUB, "file:/run/secrets/github", "placeholder.*put the value"),
    "${}": (GITHUB, "${GITHUB_SECRET}", "placeholder.*put the value"),
    "$()": (GITHUB, "$(cat /run/secrets/github)", "placeholder.*put the value"),
    "{{}}": (GITHUB, "{{ github_secret }}", "placeholder.*put the value"),
    "***": (GITHUB, "***", "placeholder.*put the value"),
    "many stars": (GITHUB, "********************", "placeholder.*put the value"),
    "<...>": (GITHUB, "<your webhook secret>", "placeholder.*put the value"),
    # os.environ decodes with surrogateescape: this is what bytes that are no UTF-8 look like in it.
    "text that is no Unicode": (GITHUB, "caf\udce9-caf\udce9-caf\udce9", "secret"),
    "live and test at once": (GITHUB, [SECRET, Secret(SECRET, test=True)], "live and as a test secret"),
    "live and test at once, as text and bytes": (
        GITHUB,
        [Secret(SECRET.encode(), test=True), SECRET],
        "live and as a test secret",
    ),
    "live and test at once, in two spellings": (
        STANDARD_WEBHOOKS,
        [WHSEC, Secret(f"v1,{WHSEC}", test=True)],
        "live and as a test secret",
    ),
}


@pytest.mark.parametrize(("record", "wrong", "cure"), REFUSED.values(), ids=REFUSED)
def test_what_can_only_be_a_mistake_is_refused_at_the_start(record: Provider, wrong: Any, cure: str) -> None:
    with pytest.raises(ConfigError, match=f"(?s){cure}") as caught:
        record.chain(wrong)
    assert any(word in str(caught.value) for word in ("secret", "token"))


@pytest.mark.parametrize(
    "given",
    [
        "1234567890",
        SECRET.encode(),
        b"\xff\x00\x80 any bytes ",
        "with, a comma, and = and a blank inside",
        "v1," + "anything-utf8",
        "$ecret{with}<braces>",
        "whsec_is-text-for-this-sender",
        [SECRET, OLD],
        (SECRET, OLD.encode()),
        [Secret(SECRET), Secret(OLD, test=True)],
    ],
    ids=repr,
)
def test_what_senders_give_out_is_accepted(given: Any) -> None:
    assert GITHUB.chain(given).provider == "github"


@pytest.mark.parametrize("setting", ["not_before", "not_after"])
@pytest.mark.parametrize(
    "moment",
    [datetime(2026, 12, 1), date(2026, 12, 1), 1_796_083_200, "2026-12-01T00:00:00Z"],  # noqa: DTZ001
    ids=["naive", "date", "number", "text"],
)
def test_a_secret_has_aware_times(setting: str, moment: Any) -> None:
    given: dict[str, Any] = {setting: moment}
    with pytest.raises(ConfigError, match=rf"{setting}.*aware datetime"):
        Secret(SECRET, **given)


@pytest.mark.parametrize("later", [0, -1, -86400], ids=["equal", "a second", "a day"])
def test_a_secret_that_ends_before_it_begins_is_refused(later: int) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(ConfigError, match=r"not_before.*not_after"):
        Secret(SECRET, not_before=start, not_after=start + timedelta(seconds=later))


@pytest.mark.parametrize("name", ["", None, 5, b"acme"], ids=repr)
def test_a_party_needs_a_name(name: Any) -> None:
    with pytest.raises(ConfigError, match="name"):
        Party(name, SECRET)


# A text is one secret.


@pytest.mark.parametrize("key", [b"c", b"co", SECRET[:-1].encode(), b"e"], ids=repr)
def test_a_text_is_one_secret_and_no_part_of_it_signs(endpoint: MakeEndpoint, key: bytes) -> None:
    app = endpoint(routes={"/hook": GITHUB.chain(SECRET)})
    assert app.post(signed_by_hand(key)).status == 401
    assert (app.reason, app.calls) == ("signature_mismatch", [])
    assert app.post(signed_by_hand(SECRET.encode())).status == 200


@pytest.mark.parametrize("text", ["abc", "v1,whsec_MfKQ9r8G", "one,two", "one two", "one\ntwo"], ids=repr)
def test_a_text_is_never_split(endpoint: MakeEndpoint, text: str) -> None:
    app = endpoint(routes={"/hook": GITHUB.chain(text)})
    for part in {*text, *text.split(","), *text.split(), text.removeprefix("v1,"), text.removeprefix("v1,whsec_")}:
        if part != text:
            assert app.post(signed_by_hand(part.encode())).status == 401, part
    assert app.post(signed_by_hand(text.encode())).status == 200
    assert app.last.key_index == 0


@pytest.mark.parametrize("key", [b"v1", b"v", b"v1,", b"whsec_", WHSEC.encode(), f"v1,{WHSEC}".encode()], ids=repr)
def test_supabases_v1_is_no_key(endpoint: MakeEndpoint, key: bytes) -> None:
    app = endpoint(routes={"/hook": STANDARD_WEBHOOKS.chain(f"v1,{WHSEC}")})
    forged = STANDARD_WEBHOOKS.sign(BODY, secret=key, id="evt_1", at=NOW, url="/hook")
    assert app.post(forged).status == 401
    assert (app.reason, app.calls) == ("signature_mismatch", [])
    assert app.post(STANDARD_WEBHOOKS.sign(BODY, secret=WHSEC, id="evt_1", at=NOW, url="/hook")).status == 200


def test_padding_of_a_whsec_secret_may_be_missing(endpoint: MakeEndpoint) -> None:
    key = b"twenty-two bytes of key"
    padded = "whsec_dHdlbnR5LXR3byBieXRlcyBvZiBrZXk="
    app = endpoint(routes={"/hook": STANDARD_WEBHOOKS.chain(padded.rstrip("="))})
    assert app.post(STANDARD_WEBHOOKS.sign(BODY, secret=key, id="evt_1", at=NOW, url="/hook")).status == 200


def test_a_short_secret_is_accepted_and_said_at_the_start(
    endpoint: MakeEndpoint, caplog: pytest.LogCaptureFixture
) -> None:
    app = endpoint(routes={"/hook": GITHUB.chain("1234567890")})
    assert "shorter than 16 bytes" in caplog.text
    assert "1234567890" not in caplog.text
    assert app.post(delivery("1234567890")).status == 200


def test_a_long_secret_draws_no_warning(endpoint: MakeEndpoint, caplog: pytest.LogCaptureFixture) -> None:
    endpoint(routes={"/hook": GITHUB.chain(SECRET)})
    assert "shorter" not in caplog.text


# Secrets stay secret.


def test_a_secret_shows_everything_but_its_value() -> None:
    end = datetime(2026, 12, 1, tzinfo=UTC)
    secret = Secret(NEEDLE, not_after=end, test=True, name="autumn")
    for shown in (repr(secret), str(secret), f"{secret}", repr([secret]), repr({"s": secret})):
        assert NEEDLE not in shown
        assert "***" in shown
        assert "autumn" in shown
        assert "2026" in shown
    assert NEEDLE not in repr(Secret(NEEDLE.encode()))


def test_a_party_and_a_chain_show_no_secret() -> None:
    party = Party("acme", [NEEDLE, Secret(NEEDLE + "2")])
    assert "acme" in repr(party)
    assert NEEDLE not in repr(party)
    chain = GITHUB.chain([NEEDLE, Secret(NEEDLE + "2", test=True)], name="pushes")
    for shown in (repr(chain), str(chain), f"{chain}", repr(chain.identity), repr(chain.verifiers), repr(chain.notes)):
        assert NEEDLE not in shown
    assert "github" in repr(chain)


LEAKS: dict[str, tuple[Provider, Any]] = {
    "blanks": (GITHUB, f" {NEEDLE}"),
    "whsec_": (STANDARD_WEBHOOKS, f"whsec_{NEEDLE}!"),
    "hex": (HEX, NEEDLE),
    "base64": (BASE64, f"{NEEDLE}!"),
    "pem": (GITHUB, f"-----BEGIN PRIVATE KEY-----\n{NEEDLE}"),
    "ssh": (GITHUB, f"ssh-rsa {NEEDLE}"),
    "jwk": (GITHUB, f'{{"kty":"oct","k":"{NEEDLE}"}}'),
    "placeholder": (GITHUB, f"<{NEEDLE}>"),
    "env": (GITHUB, f"env:{NEEDLE}"),
    "nested": (GITHUB, [[NEEDLE]]),
    "dict": (GITHUB, {NEEDLE: NEEDLE}),
    "set": (GITHUB, {NEEDLE}),
    "twice": (GITHUB, [NEEDLE, Secret(NEEDLE, test=True)]),
    "no unicode": (GITHUB, f"{NEEDLE}\udcff"),
}


@pytest.mark.parametrize(("record", "wrong"), LEAKS.values(), ids=LEAKS)
def test_no_config_error_shows_the_value(record: Provider, wrong: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        record.chain(wrong)
    assert NEEDLE not in "".join(traceback.format_exception(caught.value))
    assert NEEDLE not in repr(caught.value)


def test_a_shared_secret_on_two_routes_is_named_by_route_only(endpoint: MakeEndpoint) -> None:
    routes = {"/a": MECHANIC.chain(NEEDLE), "/b": GITHUB.chain(NEEDLE)}
    with pytest.raises(ConfigError, match="share a secret") as caught:
        endpoint(routes=routes)
    assert NEEDLE not in str(caught.value)


def test_no_secret_and_no_expected_signature_reaches_a_log(
    endpoint: MakeEndpoint, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    bad_source: Source = lambda _: f"{NEEDLE} "  # noqa: E731
    routes = {
        "/hook": GITHUB.chain([NEEDLE, Secret(NEEDLE + "2", test=True)]),
        "/bad": GITHUB.chain(bad_source),
    }
    app = endpoint(routes=routes, debug=True)
    expected = hmac.new(NEEDLE.encode(), BODY, "sha256").hexdigest()
    forged = signed_by_hand(b"another key")
    answers = [app.post(forged), app.post(delivery(NEEDLE, url="/bad")), app.post(delivery(NEEDLE))]
    assert [answer.status for answer in answers] == [401, 503, 200]
    assert "signature_mismatch" in caplog.text
    assert "secret_unavailable" in caplog.text
    told = caplog.text + repr(answers) + repr(app.events) + repr(app.last)
    assert NEEDLE not in told
    assert expected not in told
    assert hashlib.sha256(NEEDLE.encode()).hexdigest() not in told


# Rotation.


def test_rotation_accepts_both_and_tells_which_and_refuses_a_third(endpoint: MakeEndpoint) -> None:
    app = endpoint(routes={"/hook": GITHUB.chain([SECRET, OLD])})
    assert app.post(delivery(SECRET, body=b"1")).status == 200
    assert app.last.key_index == 0
    assert app.post(delivery(OLD, body=b"2")).status == 200
    assert app.last.key_index == 1
    assert app.post(delivery(STRANGER, body=b"3")).status == 401
    assert app.reason == "signature_mismatch"
    assert len(app.calls) == 2


@pytest.mark.parametrize("record", [MECHANIC, STANDARD_WEBHOOKS, PATCHWORKS_SIGNATURE], ids=lambda r: r.name)
def test_rotation_works_for_every_kind_of_signature(endpoint: MakeEndpoint, record: Provider) -> None:
    whsec = record is STANDARD_WEBHOOKS
    new, old, third = (f"{'whsec_' if whsec else ''}{letter * 32}" for letter in "KLM")
    body = b"customer_id=1" if record is MECHANIC else BODY
    app = endpoint(routes={"/hook": record.chain([new, old], on_duplicate="run")})
    for index, secret in enumerate((new, old)):
        assert app.post(record.sign(body, secret=secret, at=NOW, url="/hook")).status == 200
        assert app.last.key_index == index
    assert app.post(record.sign(body, secret=third, at=NOW, url="/hook")).status == 401


START = datetime(2026, 1, 1, tzinfo=UTC)
ELSEWHERE = START.astimezone(timezone(timedelta(hours=-9)))


@pytest.mark.parametrize("moment", [START, ELSEWHERE], ids=["utc", "another zone"])
def test_a_secret_counts_from_its_first_moment_on(endpoint: MakeEndpoint, moment: datetime) -> None:
    app = endpoint(routes={"/hook": GITHUB.chain(Secret(SECRET, not_before=moment))})
    app.clock.now = START.timestamp() - 0.001
    assert_unavailable(app, delivery())
    app.clock.now = START.timestamp()
    assert app.post(delivery()).status == 200


@pytest.mark.parametrize("moment", [START, ELSEWHERE], ids=["utc", "another zone"])
def test_a_secret_counts_until_its_last_moment(endpoint: MakeEndpoint, moment: datetime) -> None:
    app = endpoint(routes={"/hook": GITHUB.chain(Secret(SECRET, not_after=moment))})
    app.clock.now = START.timestamp()
    assert_unavailable(app, delivery())
    app.clock.now = START.timestamp() - 0.001
    assert app.post(delivery()).status == 200


def test_an_expired_secret_no_longer_signs_while_the_new_one_does(endpoint: MakeEndpoint) -> None:
    app = endpoint(routes={"/hook": GITHUB.chain([SECRET, Secret(OLD, not_after=START)], on_duplicate="run")})
    app.clock.now = START.timestamp() - 1
    assert app.post(delivery(OLD)).status == 200
    assert app.last.key_index == 1
    app.clock.now = START.timestamp() + 1
    assert app.post(delivery(OLD)).status == 401
    assert app.reason == "signature_mismatch"
    assert app.post(delivery(SECRET)).status == 200
    assert app.last.key_index == 0


def test_the_place_in_the_list_stays_when_a_newer_secret_is_not_yet_in_force(endpoint: MakeEndpoint) -> None:
    app = endpoint(routes={"/hook": GITHUB.chain([Secret(SECRET, not_before=START), OLD])})
    app.clock.now = START.timestamp() - 1
    assert app.post(delivery(OLD)).status == 200
    assert app.last.key_index == 1


def test_with_nothing_in_force_even_a_forgery_is_our_fault(endpoint: MakeEndpoint) -> None:
    app = endpoint(routes={"/hook": GITHUB.chain([Secret(SECRET, not_after=START), Secret(OLD, not_after=START)])})
    app.clock.now = START.timestamp()
    assert_unavailable(app, delivery(STRANGER))
    assert_unavailable(app, delivery(OLD))


# Secrets that a callable finds.

TENANTS = {"a": [SECRET], "b": [OLD], "twin": [SECRET]}


def tenant(head: Head) -> Party | None:
    name = head.path.rpartition("/")[2]
    return Party(name, TENANTS[name]) if name in TENANTS else None


async def awaited_tenant(head: Head) -> Party | None:
    await anyio.lowlevel.checkpoint()
    return tenant(head)


def late_tenant(head: Head) -> Awaitable[Party | None]:
    return awaited_tenant(head)


class Finder:
    """A source with a state, as applications have them."""

    async def __call__(self, head: Head) -> Party | None:
        return await awaited_tenant(head)


SOURCES: dict[str, Source] = {
    "sync": tenant,
    "async": awaited_tenant,
    "sync that returns an awaitable": late_tenant,
    "async object": Finder(),
}


@pytest.fixture(params=SOURCES)
def source(request: pytest.FixtureRequest) -> Source:
    return SOURCES[request.param]


def test_the_party_reaches_the_webhook(endpoint: MakeEndpoint, source: Source) -> None:
    app = endpoint(routes={"/hooks/*": GITHUB.chain(source)})
    for name, (secret, *_) in TENANTS.items():
        assert app.post(delivery(secret, url=f"/hooks/{name}", body=name.encode())).status == 200
        assert (app.last.party, app.last.route, app.last.key_index) == (name, "/hooks/*", 0)


def test_one_tenant_cannot_post_for_another(endpoint: MakeEndpoint, source: Source) -> None:
    app = endpoint(routes={"/hooks/*": GITHUB.chain(source)})
    assert app.post(delivery(OLD, url="/hooks/a")).status == 401
    assert (app.reason, app.calls) == ("signature_mismatch", [])
    assert app.post(delivery(OLD, url="/hooks/b")).status == 200
    assert app.last.party == "b"


def test_an_unknown_party_looks_like_a_wrong_signature(endpoint: MakeEndpoint, source: Source) -> None:
    app = endpoint(routes={"/hooks/*": GITHUB.chain(source)})
    unknown = app.post(delivery(url="/hooks/nobody"))
    assert (app.reason, app.calls) == ("signature_mismatch", [])
    forged = app.post(delivery(STRANGER, url="/hooks/a"))
    assert app.reason == "signature_mismatch"
    assert unknown == forged


@pytest.mark.parametrize("key", [b"", b"None", b"\0"], ids=repr)
def test_an_unknown_party_has_no_key_that_a_stranger_knows(endpoint: MakeEndpoint, key: bytes) -> None:
    app = endpoint(routes={"/hook": GITHUB.chain(lambda _: None)})
    assert app.post(signed_by_hand(key)).status == 401
    assert app.reason == "signature_mismatch"


def test_the_same_delivery_for_two_parties_is_two_events(endpoint: MakeEndpoint, store: Store, source: Source) -> None:
    app = endpoint(routes={"/hooks/*": GITHUB.chain(source)}, store=store)
    for name in ("a", "twin"):
        assert app.post(delivery(url=f"/hooks/{name}")).status == 200
        assert app.last.party == name
    assert len(app.calls) == 2
    for name in ("a", "twin"):
        assert app.post(delivery(url=f"/hooks/{name}")).status == 200
        assert app.reason == "duplicate"
    assert len(app.calls) == 2


@pytest.mark.parametrize("second", ["/hooks/b", "/hooks/a/", "/hooks/a/b", "/hooks"])
def test_the_path_that_was_asked_for_makes_no_new_event(endpoint: MakeEndpoint, store: Store, second: str) -> None:
    app = endpoint(routes={"/hooks/*": GITHUB.chain(SECRET)}, store=store)
    assert app.post(delivery(url="/hooks/a")).status == 200
    assert app.post(delivery(url=second)).status == 200
    assert (app.reason, len(app.calls)) == ("duplicate", 1)


def test_a_source_is_given_the_head(endpoint: MakeEndpoint) -> None:
    heads: list[Head] = []

    def find(head: Head) -> str:
        heads.append(head)
        return SECRET

    app = endpoint(routes={"/hooks/*": GITHUB.chain(find)})
    request = delivery(url="/hooks/a?shop=1")
    assert app.post(request).status == 200
    (head,) = heads
    assert (head.method, head.path, head.query, head.route) == ("POST", "/hooks/a", "shop=1", "/hooks/*")
    assert head.received_at == NOW
    assert list(head.headers.all("x-hub-signature-256")) == [request.headers["x-hub-signature-256"]]
    assert app.last.party is None


@pytest.mark.parametrize("given", [SECRET, SECRET.encode(), Secret(SECRET), [OLD, SECRET], (Secret(SECRET), OLD)])
def test_a_source_may_return_whatever_a_chain_takes(endpoint: MakeEndpoint, given: object) -> None:
    app = endpoint(routes={"/hook": GITHUB.chain(lambda _: given)})
    assert app.post(delivery()).status == 200
    assert app.last.key_index == (1 if isinstance(given, list) else 0)


def test_a_source_is_asked_anew_for_every_request(endpoint: MakeEndpoint) -> None:
    found = [SECRET]
    app = endpoint(routes={"/hook": GITHUB.chain(lambda _: list(found))})
    assert app.post(delivery(body=b"1")).status == 200
    found[:] = [OLD]
    assert app.post(delivery(body=b"2")).status == 401
    assert app.post(delivery(OLD, body=b"3")).status == 200


def raising(error: Exception) -> Source:
    def find(_: Head) -> object:
        raise error

    return find


def raising_late(error: Exception) -> Source:
    async def find(_: Head) -> object:
        await anyio.lowlevel.checkpoint()
        raise error

    return find


def lazily_raising(_: Head) -> Iterator[str]:
    yield SECRET
    msg = "the second row cannot be decrypted"
    raise RuntimeError(msg)


FAILING: dict[str, Source] = {
    "raises": raising(RuntimeError("the vault is sealed")),
    "raises KeyError": raising(KeyError("shop")),
    "raises StopIteration": raising(StopIteration()),
    "raises TimeoutError": raising(TimeoutError()),
    "raises ConfigError": raising(ConfigError("no such setting")),
    "raises, async": raising_late(RuntimeError("the vault is sealed")),
    "raises TimeoutError, async": raising_late(TimeoutError()),
    "raises while its rows are read": lazily_raising,
    "nothing": lambda _: [],
    "an empty text": lambda _: "",
    "a list with an empty text": lambda _: [SECRET, ""],
    "a list with None": lambda _: [SECRET, None],
    "a number": lambda _: 5,
    "a dict": lambda _: {"secret": SECRET},
    "an object": lambda _: object(),
    "a function": lambda _: tenant,
    "a party without secrets": lambda _: Party("acme", []),
    "a party with an empty secret": lambda _: Party("acme", ""),
    "a party without a name": lambda _: Party("", SECRET),
    "text that is no Unicode": lambda _: "caf\udce9-caf\udce9-caf\udce9",
    "one secret as live and test": lambda _: [SECRET, Secret(SECRET, test=True)],
    "nothing in force": lambda _: Secret(SECRET, not_after=START - timedelta(days=5000)),
}


@pytest.mark.parametrize("failing", FAILING.values(), ids=FAILING)
def test_a_failing_source_is_our_fault_and_not_the_senders(endpoint: MakeEndpoint, failing: Source) -> None:
    app = endpoint(routes={"/hook": GITHUB.chain(failing)})
    assert_unavailable(app, delivery())


def test_a_failing_source_never_becomes_the_senders_documented_refusal(endpoint: MakeEndpoint) -> None:
    app = endpoint(routes={"/hook": MOMENTO.chain(raising(RuntimeError()), max_age=60)})
    assert_unavailable(app, MOMENTO.sign(BODY, secret=SECRET, at=NOW, url="/hook"))


def test_a_source_that_recovers_is_used_again(endpoint: MakeEndpoint) -> None:
    broken = [True]

    def find(_: Head) -> str:
        if broken[0]:
            raise OSError
        return SECRET

    app = endpoint(routes={"/hook": GITHUB.chain(find)})
    assert_unavailable(app, delivery())
    broken[0] = False
    assert app.post(delivery()).status == 200


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_source_that_hangs_is_given_up(endpoint: MakeEndpoint, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr("hooklatch.secrets.SOURCE_TIMEOUT", 0.2)
    released = threading.Event()

    def hang(_: Head) -> str:
        released.wait(30)
        return SECRET

    async def hang_awaited(_: Head) -> str:
        # An event of one loop would be of no use on the others.
        while not released.is_set():  # noqa: ASYNC110
            await anyio.sleep(0.01)
        return SECRET

    app = endpoint(routes={"/hook": GITHUB.chain(hang if kind == "sync" else hang_awaited)})
    try:
        began = time.monotonic()
        assert_unavailable(app, delivery())
        assert 0.1 < time.monotonic() - began < 2
    finally:
        released.set()
    assert app.post(delivery()).status == 200


TIMED = Provider(
    name="timed",
    signature=Header("x-signature"),
    timestamp=Header("x-timestamp"),
    signed="{timestamp}.{body}",
    max_age=300,
)


def without(request: Delivery, *names: str) -> Delivery:
    return request._replace(headers={k: v for k, v in request.headers.items() if k not in names})


SIGNED = TIMED.sign(BODY, secret=SECRET, at=NOW, url="/hook")
POINTLESS: dict[str, tuple[Delivery, str]] = {
    "no signature": (without(SIGNED, "x-signature"), "signature_missing"),
    "an empty signature": (SIGNED._replace(headers={**SIGNED.headers, "x-signature": " "}), "signature_missing"),
    "no hex": (SIGNED._replace(headers={**SIGNED.headers, "x-signature": "zz" * 32}), "signature_malformed"),
    "too short": (SIGNED._replace(headers={**SIGNED.headers, "x-signature": "ab"}), "signature_malformed"),
    "no timestamp": (without(SIGNED, "x-timestamp"), "timestamp_missing"),
    "stale": (TIMED.sign(BODY, secret=SECRET, at=NOW - 301, url="/hook"), "timestamp_expired"),
    "another method": (SIGNED._replace(method="PUT"), "method_not_allowed"),
    "too large": (SIGNED._replace(body=b"x" * 1025), "body_too_large"),
}


@pytest.mark.parametrize(("request_", "reason"), POINTLESS.values(), ids=POINTLESS)
def test_a_source_is_not_asked_for_what_is_refused_by_its_head(
    endpoint: MakeEndpoint, request_: Delivery, reason: str
) -> None:
    asked: list[Head] = []

    def find(head: Head) -> str:
        asked.append(head)
        return SECRET

    app = endpoint(routes={"/hook": TIMED.chain(find, max_body=1024)})
    app.post(request_)
    assert (app.reason, asked) == (reason, [])
    assert app.post(SIGNED).status == 200
    assert len(asked) == 1
