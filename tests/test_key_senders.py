"""Senders with public keys, tokens and signed components: what each signs is accepted, and nothing else is."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from Crypto.PublicKey import ECC

import key_samples
from hooklatch import ConfigError, Delivery, Header, Rejected
from hooklatch.private_keys import private_key
from hooklatch.providers import DISCORD, PAYPAL, RFC9421, STANDARD_WEBHOOKS_V1A, TELNYX, provider
from worlds import NOW, Endpoint

MakeEndpoint = Callable[..., Endpoint]

every_sender = pytest.mark.parametrize("name", key_samples.others())


def receiver(name: str, endpoint: MakeEndpoint, **options: Any) -> Endpoint:
    return endpoint(routes={"/hook": key_samples.chain_of(provider(name), **options)})


@every_sender
def test_what_a_sender_signs_is_accepted_once(name: str, endpoint: MakeEndpoint) -> None:
    made = receiver(name, endpoint)
    genuine = key_samples.sent(provider(name))
    assert [made.post(genuine).status for _ in range(2)] == [200, 200]
    assert len(made.calls) == (2 if provider(name).repeats == "normal" else 1)
    assert (made.last.provider, made.last.coverage) == (name, provider(name).coverage)
    assert made.calls[0].body == genuine.body


@every_sender
def test_another_key_of_the_same_kind_signs_in_vain(name: str, endpoint: MakeEndpoint) -> None:
    made = receiver(name, endpoint)
    assert made.post(key_samples.sent(provider(name), which=1)).status == 401
    assert (made.reason, made.calls) == ("signature_mismatch", [])


def altered(delivery: Delivery, header: str, place: int) -> Delivery:
    text = delivery.headers[header]
    other = "1" if text[place] != "1" else "2"
    return delivery._replace(headers={**delivery.headers, header: text[:place] + other + text[place + 1 :]})


HEADED = [name for name in key_samples.others() if isinstance(provider(name).places[0], Header)]


@pytest.mark.parametrize("name", HEADED)
def test_any_other_letter_in_a_signature_is_refused(name: str) -> None:
    chain = key_samples.chain_of(provider(name))
    genuine = key_samples.sent(provider(name))
    (place,) = provider(name).places
    assert isinstance(place, Header)
    header = place.names[0]
    # Kong's username is nobody's word but the caller's.
    signed = genuine.headers[header].find("algorithm=") if name == "kong_hmac" else 0
    for letter in range(signed, len(genuine.headers[header]), 7):
        forged = altered(genuine, header, letter)
        with pytest.raises(Rejected) as refused:
            chain.verify(**forged._asdict(), now=NOW)
        assert refused.value.status == 401


@pytest.mark.parametrize("name", [name for name in key_samples.others() if provider(name).coverage == "body"])
def test_another_body_is_refused(name: str, endpoint: MakeEndpoint) -> None:
    made = receiver(name, endpoint)
    genuine = key_samples.sent(provider(name))
    for body in (b"", genuine.body[:-1], genuine.body + b" ", genuine.body.replace(b"1", b"2", 1)):
        assert made.post(genuine._replace(body=body)).status == 401
        assert made.reason == "signature_mismatch"
    assert made.calls == []
    assert made.post(genuine).status == 200


@pytest.mark.parametrize("name", [name for name in key_samples.others() if provider(name).max_age is not None])
def test_what_is_too_old_or_too_early_is_refused(name: str, endpoint: MakeEndpoint) -> None:
    record = provider(name)
    made = receiver(name, endpoint)
    genuine = key_samples.sent(record)
    assert record.max_age is not None
    for moment, reason in ((record.max_age + 2, "timestamp_expired"), (-record.max_skew - 2, "timestamp_in_future")):
        made.clock.now = NOW + moment
        assert (made.post(genuine).status, made.reason) == (401, reason)
    assert made.calls == []


@pytest.mark.parametrize("name", HEADED)
def test_a_delivery_without_one_of_its_headers_is_refused(name: str, endpoint: MakeEndpoint) -> None:
    made = receiver(name, endpoint)
    genuine = key_samples.sent(provider(name))
    for header in genuine.headers.keys() - {"content-type", "user-agent", "x-amz-sns-message-type"}:
        bare = {other: value for other, value in genuine.headers.items() if other != header}
        assert made.post(genuine._replace(headers=bare)).status == 401, header
    assert made.calls == []


@pytest.mark.parametrize("name", [name for name in key_samples.others() if provider(name).expects])
def test_a_proof_for_somebody_else_is_refused(name: str, endpoint: MakeEndpoint) -> None:
    record = provider(name)
    for one in record.expects:
        made = receiver(name, endpoint, expect={**key_samples.expected(record), one: "another"})
        assert (made.post(key_samples.sent(record)).status, made.reason) == (401, "signature_mismatch")


@pytest.mark.parametrize("name", [name for name in key_samples.others() if provider(name).expects])
def test_a_route_that_does_not_say_what_it_expects_does_not_start(name: str) -> None:
    for expect in ({}, {**key_samples.expected(provider(name)), "more": "than asked"}):
        with pytest.raises(ConfigError, match="expect="):
            key_samples.chain_of(provider(name), expect=expect)


# PayPal signs a checksum, which says so.


def test_a_body_that_fits_the_checksum_is_accepted_and_called_weak(endpoint: MakeEndpoint) -> None:
    made = receiver("paypal", endpoint)
    body = b'{"event_type":"PAYMENT.CAPTURE.DENIED","amount":"1"}'
    genuine = key_samples.sent(PAYPAL, body)
    forged = genuine._replace(
        body=twin(b'{"event_type":"PAYMENT.CAPTURE.COMPLETED","amount":"9999","n":"', body, b'"}')
    )
    assert made.post(forged).status == 200
    assert made.last.coverage == "weak"
    assert made.post(genuine).status == 409
    assert (made.reason, len(made.calls)) == ("duplicate_altered", 1)


def twin(before: bytes, target: bytes, after: bytes) -> bytes:
    """Return *before*, four bytes, and *after* with the CRC-32 of *target*: the checksum is linear over bits."""
    import zlib

    def crc(middle: int) -> int:
        return zlib.crc32(before + middle.to_bytes(4, "big") + after)

    base = crc(0)
    rows = [(crc(1 << bit) ^ base, 1 << bit) for bit in range(32)]
    wanted = base ^ zlib.crc32(target)
    chosen = 0
    for bit in reversed(range(32)):
        place = next(n for n, (value, _) in enumerate(rows) if value >> bit & 1)
        value, mask = rows.pop(place)
        rows = [(v ^ value, m ^ mask) if v >> bit & 1 else (v, m) for v, m in rows]
        if wanted >> bit & 1:
            wanted ^= value
            chosen ^= mask
    return before + chosen.to_bytes(4, "big") + after


# A sender's own library.


def test_discords_own_library_agrees(endpoint: MakeEndpoint) -> None:
    from discord_interactions import verify_key  # type: ignore[import-untyped]

    made = receiver("discord", endpoint)
    genuine = key_samples.sent(DISCORD)
    point = ECC.import_key(key_samples.pair("ed25519", 0)[1]).export_key(format="raw").hex()
    for body in (genuine.body, genuine.body + b" "):
        headers = genuine.headers
        theirs = verify_key(body, headers["x-signature-ed25519"], headers["x-signature-timestamp"], point)
        assert (made.post(genuine._replace(body=body)).status == 200) == theirs == (body == genuine.body)


@pytest.mark.parametrize("name", ["telnyx", "sendgrid", "starling", "standard_webhooks_v1a"])
def test_one_of_several_keys_signs_and_a_delivery_is_known_whichever_did(name: str, endpoint: MakeEndpoint) -> None:
    record = provider(name)
    publics = [key_samples.pair(record.algorithm, which)[1] for which in (1, 0)]
    made = receiver(name, endpoint, public_keys=publics)
    for which in (0, 1, 0):
        assert made.post(key_samples.sent(record, which=which)).status == 200
    assert (len(made.calls), made.last.key_index) == (1, 1)


# Standard Webhooks with a private key.


def test_v1_and_v1a_may_stand_in_one_list_and_a_flood_of_them_is_refused(endpoint: MakeEndpoint) -> None:
    made = receiver("standard_webhooks_v1a", endpoint)
    genuine = key_samples.sent(STANDARD_WEBHOOKS_V1A)
    right = genuine.headers["webhook-signature"]
    for signatures, status in ((f"v1,AAAA {right}", 200), (" ".join([right] * 100), 401), ("v1,AAAA", 401)):
        headers = {**genuine.headers, "webhook-signature": signatures}
        assert made.post(genuine._replace(headers=headers)).status == status


def test_the_keys_of_standard_webhooks_are_taken_as_they_are_written() -> None:
    import base64

    key = ECC.generate(curve="Ed25519")
    raw = key.public_key().export_key(format="raw")
    private = f"whsk_{base64.b64encode(key.seed + raw).decode()}"
    delivery = STANDARD_WEBHOOKS_V1A.sign(b"{}", secret=private, at=NOW)
    chain = STANDARD_WEBHOOKS_V1A.chain(public_keys=f"whpk_{base64.b64encode(raw).decode()}")
    assert chain.verify(**delivery._asdict(), now=NOW).key_index == 0


# Private keys.


@pytest.mark.parametrize("algorithm", ["ed25519", "ecdsa-p256-sha256", "rsa-pss-sha512", "rsa-pkcs1v15-sha1"])
def test_what_cannot_sign_is_refused_and_never_shown(algorithm: str) -> None:
    private, public = key_samples.pair(algorithm, 0)
    wrong = key_samples.pair("ed25519" if algorithm.startswith("rsa") else "rsa-pss-sha512", 0)[0]
    for given in (public, wrong, "a secret of sixteen", private[:200] + "x", ""):
        with pytest.raises(ConfigError) as refused:
            private_key(algorithm, given)
        assert private[60:90] not in f"{refused.value!r} {refused.value.__cause__!r}"


def test_a_receiver_takes_a_key_set_and_tries_every_key_of_its_kind() -> None:
    import json

    sets = []
    for which in (1, 0):
        point = ECC.import_key(key_samples.pair("ed25519", which)[1]).export_key(format="raw")
        sets.append({"kty": "OKP", "crv": "Ed25519", "kid": f"k{which}", "x": b64url(point)})
    chain = TELNYX.chain(public_keys=json.dumps({"keys": [{"kty": "EC", "crv": "P-384"}, *sets]}))
    assert chain.verify(**key_samples.sent(TELNYX)._asdict(), now=NOW).key_index == 1


def b64url(raw: bytes) -> str:
    import base64

    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"keys": []}', id="empty"),
        pytest.param('{"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]}', id="another-kind"),
        pytest.param('{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "AA"}]}', id="short"),
        pytest.param('{"keys": [{"kty": "OKP", "crv": "Ed25519"}]}', id="no-value"),
        pytest.param('{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": 1}]}', id="number"),
        pytest.param('{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "AA", "d": "AA"}]}', id="private"),
        pytest.param('{"keys": [1]}', id="no-object"),
        pytest.param('{"keys": 1}', id="no-list"),
        pytest.param("{", id="torn"),
        pytest.param('{"kty": "OKP", "crv": "Ed25519", "use": "enc", "x": "' + "A" * 43 + '"}', id="for-encryption"),
    ],
)
def test_a_set_without_a_usable_key_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=re.compile("key", re.IGNORECASE)):
        TELNYX.chain(public_keys=text)


def test_fetch_is_refused_where_nothing_is_fetched() -> None:
    with pytest.raises(ConfigError, match="fetch="):
        TELNYX.chain(public_keys=key_samples.pair("ed25519", 0)[1], fetch=lambda url: b"")
    with pytest.raises(ConfigError, match="public_keys="):
        RFC9421.chain()
