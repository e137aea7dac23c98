"""Tokens: the algorithm and the key are ours, a claim occurs once, and a second library agrees on what is valid."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any

import jwt as pyjwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import key_samples
from hooklatch import Chain, Delivery, Provider, Rejected
from hooklatch.keys import HMACKey
from hooklatch.private_keys import private_key
from hooklatch.providers import FIREBLOCKS, GOOGLE_PUBSUB, NETLIFY, PLAID, VONAGE
from worlds import NOW, Endpoint

MakeEndpoint = Callable[..., Endpoint]

SECRET = key_samples.SECRET
BODY = key_samples.BODY
DIGEST = hashlib.sha256(BODY).hexdigest()


def b64(raw: bytes | str) -> str:
    text = raw.encode() if isinstance(raw, str) else raw
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def signed(header: str, payload: str, *, key: Any = None, unsigned: bool = False) -> str:
    """Return a token of these exact JSON texts, by HS256 with our secret unless *key* says otherwise."""
    content = f"{b64(header)}.{b64(payload)}"
    signature = b"" if unsigned else (key or HMACKey("hmac-sha256", SECRET.encode())).sign(content.encode())
    return f"{content}.{b64(signature)}"


def claiming(**claims: Any) -> str:
    """Return Netlify's token with other or further claims."""
    return signed(HEADER, json.dumps({"iss": "netlify", "sha256": DIGEST, **claims}))


HEADER = '{"alg":"HS256","typ":"JWT"}'
PAYLOAD = json.dumps({"iss": "netlify", "sha256": DIGEST})


def netlify(token: str, body: bytes = BODY) -> Delivery:
    return Delivery("POST", "/hook", {"x-webhook-signature": token}, body)


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        pytest.param(signed('{"alg":"none"}', PAYLOAD), "algorithm_not_allowed", id="none"),
        pytest.param(signed('{"alg":"none"}', PAYLOAD, unsigned=True), "algorithm_not_allowed", id="none-unsigned"),
        pytest.param(signed(HEADER, PAYLOAD, unsigned=True), "signature_malformed", id="no-signature"),
        pytest.param(signed('{"alg":"None"}', PAYLOAD), "algorithm_not_allowed", id="None"),
        pytest.param(signed('{"alg":"hs256"}', PAYLOAD), "algorithm_not_allowed", id="lower-case"),
        pytest.param(signed('{"alg":"HS512"}', PAYLOAD), "algorithm_not_allowed", id="another-hash"),
        pytest.param(signed('{"alg":"RS256"}', PAYLOAD), "algorithm_not_allowed", id="another-kind"),
        pytest.param(signed("{}", PAYLOAD), "algorithm_not_allowed", id="no-algorithm"),
        pytest.param(signed('{"alg":["HS256"]}', PAYLOAD), "signature_malformed", id="a-list"),
        pytest.param(signed('{"alg":"none","alg":"HS256"}', PAYLOAD), "signature_malformed", id="two-algorithms"),
        pytest.param(signed('{"alg":"HS256","\\u0061lg":"none"}', PAYLOAD), "signature_malformed", id="escaped-twin"),
        pytest.param(signed('{"alg":"HS256","crit":["b64"],"b64":false}', PAYLOAD), "signature_malformed", id="crit"),
        pytest.param(signed('{"alg":"HS256","kid":7}', PAYLOAD), "signature_malformed", id="kid-number"),
        pytest.param(signed("[]", PAYLOAD), "algorithm_not_allowed", id="header-list"),
        pytest.param(signed("", PAYLOAD), "signature_malformed", id="header-empty"),
        pytest.param(signed(HEADER, "[]"), "signature_mismatch", id="claims-list"),
        pytest.param(signed(HEADER, "nonsense"), "signature_malformed", id="claims-no-json"),
        pytest.param(signed(HEADER, '{"iss":"netlify"}'), "signature_mismatch", id="no-digest"),
        pytest.param(signed(HEADER, json.dumps({"sha256": DIGEST})), "signature_mismatch", id="no-issuer"),
        pytest.param(claiming(iss="evil"), "signature_mismatch", id="another-issuer"),
        pytest.param(claiming(iss=["netlify"]), "signature_mismatch", id="issuers"),
        pytest.param(signed(HEADER, '{"sha256":"x",' + PAYLOAD.strip()[1:]), "signature_malformed", id="two-digests"),
        pytest.param(claiming(sha256=DIGEST.upper()), "signature_mismatch", id="upper-case"),
        pytest.param(claiming(exp=NOW - 61), "timestamp_expired", id="exp"),
        pytest.param(claiming(nbf=NOW + 61), "timestamp_in_future", id="nbf"),
        pytest.param(claiming(exp="soon"), "timestamp_malformed", id="exp-text"),
        pytest.param(claiming(exp=1e300), "timestamp_malformed", id="exp-far"),
        pytest.param(claiming(exp=True), "timestamp_malformed", id="exp-truth"),
        pytest.param(claiming(exp=float("nan")), "signature_malformed", id="exp-nan"),
        pytest.param(signed(HEADER, PAYLOAD) + ".x", "signature_malformed", id="four-parts"),
        pytest.param(b64(HEADER), "signature_malformed", id="one-part"),
        pytest.param(" . . ", "signature_malformed", id="blanks"),
        pytest.param("", "signature_missing", id="empty"),
        pytest.param(signed(HEADER, PAYLOAD).replace(".", "=.", 1), "signature_malformed", id="padding"),
    ],
)
def test_a_token_that_is_not_one_is_refused_with_its_reason(token: str, reason: str, endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={"/hook": NETLIFY.chain(SECRET)})
    assert (made.post(netlify(token)).status, made.reason, made.calls) == (401, reason, [])
    assert made.post(netlify(signed(HEADER, PAYLOAD))).status == 200


def test_a_public_key_is_never_taken_for_a_shared_secret(endpoint: MakeEndpoint) -> None:
    private, public = key_samples.pair(PLAID.algorithm, 0)
    made = endpoint(routes={"/hook": PLAID.chain(public_keys=public)})
    payload = json.dumps({"iat": int(NOW), "request_body_sha256": DIGEST})
    for name in ("HS256", "none", "RS256", "ES384"):
        for text in (public.encode(), public.strip().encode()):
            forged = signed(f'{{"alg":"{name}"}}', payload, key=HMACKey("hmac-sha256", text))
            made.post(Delivery("POST", "/hook", {"plaid-verification": forged}, BODY))
            assert made.reason == "algorithm_not_allowed"
    token = signed('{"alg":"ES256"}', payload, key=private_key(PLAID.algorithm, private))
    assert made.post(Delivery("POST", "/hook", {"plaid-verification": token}, BODY)).status == 200


def test_the_whole_header_must_be_the_token(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={"/hook": VONAGE.chain(SECRET)})
    genuine = key_samples.sent(VONAGE)
    token = genuine.headers["authorization"].removeprefix("Bearer ")
    for text in (token, f"bearer {token}", f"Bearer  {token}", f"Bearer {token},Bearer {token}", f"Basic {token}"):
        assert made.post(genuine._replace(headers={"authorization": text})).status == 401
    assert made.post(genuine).status == 200
    assert (made.last.id, made.last.timestamp) == (hashlib.sha256(BODY).hexdigest()[:20], NOW)


@pytest.mark.parametrize(
    ("audience", "status"),
    [("https://receiver.example", 200), (["https://receiver.example", "b"], 200), (["b"], 401), ([], 401), (None, 401),
     ({"https://receiver.example": 1}, 401), (True, 401)],
)  # fmt: skip
def test_the_audience_is_the_routes_own_alone_or_in_a_list(audience: Any, status: int, endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={"/hook": key_samples.chain_of(GOOGLE_PUBSUB)})
    claims = {
        "iss": "accounts.google.com",
        "email": key_samples.EXPECTED["email"],
        "email_verified": True,
        "iat": int(NOW),
    }
    assert made.post(google({**claims, "aud": audience})).status == status


@pytest.mark.parametrize("verified", [False, "true", 1, None])
def test_an_address_that_google_has_not_verified_is_refused(verified: Any, endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={"/hook": key_samples.chain_of(GOOGLE_PUBSUB)})
    claims = {"iss": "https://accounts.google.com", "iat": int(NOW), **key_samples.expected(GOOGLE_PUBSUB)}
    assert (made.post(google({**claims, "email_verified": verified})).status, made.reason) == (
        401,
        "signature_mismatch",
    )


def google(claims: dict[str, Any]) -> Delivery:
    key = private_key(GOOGLE_PUBSUB.algorithm, key_samples.pair(GOOGLE_PUBSUB.algorithm, 0)[0])
    token = signed('{"alg":"RS256"}', json.dumps(claims), key=key)
    return Delivery("POST", "/hook", {"authorization": f"Bearer {token}"}, BODY)


def test_a_detached_token_has_no_payload_of_its_own(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={"/hook": key_samples.chain_of(FIREBLOCKS)})
    genuine = key_samples.sent(FIREBLOCKS)
    header, _, signature = genuine.headers["fireblocks-webhook-signature"].split(".")
    for middle in (b64(genuine.body), b64("{}"), "x"):
        forged = {"fireblocks-webhook-signature": f"{header}.{middle}.{signature}"}
        assert (made.post(genuine._replace(headers=forged)).status, made.reason) == (401, "signature_malformed")


# A second library.

PAIRS = [
    (NETLIFY.using(algorithm=ours, name="own"), theirs)
    for ours, theirs in {
        "hmac-sha256": "HS256",
        "hmac-sha384": "HS384",
        "hmac-sha512": "HS512",
        "rsa-pkcs1v15-sha256": "RS256",
        "rsa-pkcs1v15-sha512": "RS512",
        "ecdsa-p256-sha256-p1363": "ES256",
        "ed25519": "EdDSA",
    }.items()
]
both_ways = pytest.mark.parametrize(("record", "algorithm"), PAIRS, ids=[theirs for _, theirs in PAIRS])
LONG = "a secret of at least sixty-four bytes, because HS512 wants that many of them."


def keys(record: Provider) -> tuple[str, str]:
    return key_samples.pair(record.algorithm, 0) if key_samples.public(record) else (LONG, LONG)


def chain(record: Provider) -> Chain:
    key = keys(record)[1]
    return record.chain(public_keys=key) if key_samples.public(record) else record.chain(key)


@both_ways
def test_pyjwt_reads_what_we_sign_and_we_read_what_it_signs(record: Provider, algorithm: str) -> None:
    private, public = keys(record)
    delivery = record.sign(BODY, secret=private, at=NOW)
    claims = pyjwt.decode(delivery.headers["x-webhook-signature"], public, algorithms=[algorithm])
    assert claims == {"iss": "netlify", "sha256": DIGEST}
    token = pyjwt.encode({"iss": "netlify", "sha256": DIGEST}, private, algorithm=algorithm, headers={"kid": "k"})
    assert chain(record).verify(**netlify(token)._asdict(), now=NOW).coverage == "body"


@both_ways
@settings(max_examples=30, deadline=None, derandomize=True)
@given(place=st.integers(0, 10_000), letter=st.sampled_from("AQgw_-.=x"))
def test_pyjwt_accepts_no_altered_token_that_we_refuse_nor_the_other_way(
    record: Provider, algorithm: str, place: int, letter: str
) -> None:
    private, public = keys(record)
    token = record.sign(BODY, secret=private, at=NOW).headers["x-webhook-signature"]
    place %= len(token)
    other = token[:place] + letter + token[place + 1 :]
    try:
        chain(record).verify(**netlify(other)._asdict(), now=NOW)
    except Rejected:
        ours = False
    else:
        ours = True
    assert ours == (other == token)
    try:
        pyjwt.decode(other, public, algorithms=[algorithm])
    except pyjwt.PyJWTError:
        theirs = False
    else:
        theirs = True
    # Of two spellings of one signature we take one; what we take, both take.
    assert theirs or not ours
