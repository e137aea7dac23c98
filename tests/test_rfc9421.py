"""HTTP Message Signatures: the examples of RFC 9421, what a signature must cover, and Kong's older way."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Callable
from typing import Any

import http_message_signatures as hms
import pytest
import requests

import key_samples
from hooklatch import ConfigError, Delivery, Header, Provider
from hooklatch.fields import Claim
from hooklatch.providers import KONG_HMAC, RFC9421
from hooklatch.structured_fields import dictionary
from worlds import NOW, Endpoint

MakeEndpoint = Callable[..., Endpoint]

BODY = b'{"hello": "world"}'
DIGEST = "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"
HEADERS = {
    "host": "example.com",
    "date": "Tue, 20 Apr 2021 02:07:55 GMT",
    "content-type": "application/json",
    "content-digest": DIGEST,
    "content-length": "18",
}
CREATED = 1618884473
RSA_PSS = """-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr4tmm3r20Wd/PbqvP1s2
+QEtvpuRaV8Yq40gjUR8y2Rjxa6dpG2GXHbPfvMs8ct+Lh1GH45x28Rw3Ry53mm+
oAXjyQ86OnDkZ5N8lYbggD4O3w6M6pAvLkhk95AndTrifbIFPNU8PPMO7OyrFAHq
gDsznjPFmTOtCEcN2Z1FpWgchwuYLPL+Wokqltd11nqqzi+bJ9cvSKADYdUAAN5W
Utzdpiy6LbTgSxP7ociU4Tn0g5I6aDZJ7A8Lzo0KSyZYoA485mqcO0GVAdVw9lq4
aOT9v6d+nb4bnNkQVklLQ3fVAvJm+xdDOp9LCNCN48V2pnDOkFV6+U9nV5oyc6XI
2wIDAQAB
-----END PUBLIC KEY-----"""
ED25519 = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=
-----END PUBLIC KEY-----"""
HMAC = "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ=="

# RFC 9421, appendix B.2: covered components and parameters, signature, algorithm, key.
EXAMPLES = {
    "B.2.2": (
        'sig-b22=("@authority" "content-digest");created=1618884473;keyid="test-key-rsa-pss"',
        (
            "sig-b22=:Fee1uy9YGZq5UUwwYU6vz4dZNvfw3GYrFl1L6YlVIyUMuWswWDNSvql4dVtSeidYjYZUm7SBCENIb5KYy2ByoC3bI+7gydd2i4OAT5l"
            "yDtmeapnAa8uP/b9xUpg+VSPElbBs6JWBIQsd+nMdHDe+ls/IwVMwXktC37SqsnbNyhNp6kcvcWpevjzFcD2VqdZleUz4jN7P+W5A3wHiMGfIjIW"
            "n36KXNB+RKyrlGnIS8yaBBrom5rcZWLrLbtg6VlrH1+/07RV+kgTh/l10h8qgpl9zQHu7mWbDKTq0tJ8K4ywcPoC4s2I4rU88jzDKDGdTTQFZoT"
            "VZxZmuTM1FvHfzIw==:"
        ),
        "rsa-pss-sha512",
        RSA_PSS,
    ),
    "B.2.5": (
        'sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"',
        "sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:",
        "hmac-sha256",
        HMAC,
    ),
    "B.2.6": (
        (
            'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;'
            'keyid="test-key-ed25519"'
        ),
        "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:",
        "ed25519",
        ED25519,
    ),
}
URL = "https://example.com/foo?param=Value&Pet=dog"


def published(name: str) -> tuple[Provider, Any, Delivery]:
    covered, signature, algorithm, key = EXAMPLES[name]
    record = RFC9421.using(algorithm=algorithm, components=("@authority",), key_encoding="base64")
    rules: dict[str, Any] = {"public_url": "https://example.com/foo"}
    chain = record.chain(key, **rules) if algorithm.startswith("hmac") else record.chain(public_keys=key, **rules)
    headers = {**HEADERS, "signature-input": covered, "signature": signature}
    return record, chain, Delivery("POST", URL, headers, BODY)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_of_the_rfc_are_accepted_and_altered_ones_are_not(name: str, endpoint: MakeEndpoint) -> None:
    _, chain, genuine = published(name)
    made = endpoint(routes={"/foo": chain})
    made.clock.now = CREATED + 7
    covered = genuine.headers["signature-input"]
    for altered in (
        covered.replace("473", "474"),
        covered.replace('("', '("@query" "'),
        covered.replace("keyid", "keyId"),
    ):
        assert made.post(genuine._replace(headers={**genuine.headers, "signature-input": altered})).status == 401
    for header in ("date", "content-type"):
        if f'"{header}"' in covered:
            other = {**genuine.headers, header: genuine.headers[header].replace("1", "2").replace("json", "xml")}
            assert made.post(genuine._replace(headers=other)).status == 401
    assert made.calls == []
    assert made.post(genuine).status == 200
    made.clock.now = CREATED + 301
    assert (made.post(genuine).status, made.reason) == (401, "timestamp_expired")


def test_a_covered_digest_is_computed_again(endpoint: MakeEndpoint) -> None:
    _, chain, genuine = published("B.2.2")
    made = endpoint(routes={"/foo": chain})
    made.clock.now = CREATED
    assert made.post(genuine._replace(body=BODY.replace(b"w", b"W"))).status == 401
    assert made.reason == "signature_mismatch"


def test_a_signature_for_another_host_is_none_here(endpoint: MakeEndpoint) -> None:
    record, _, genuine = published("B.2.5")
    made = endpoint(routes={"/foo": record.chain(HMAC, public_url="https://other.example/foo")})
    made.clock.now = CREATED
    assert (made.post(genuine).status, made.reason) == (401, "signature_mismatch")


FULL = RFC9421.using(components=("@method", "@target-uri", "content-digest", "content-type"), id=Claim("nonce"))
PRIVATE, PUBLIC = key_samples.pair("ed25519", 0)
HERE = "https://receiver.example/hook"
TYPED = {"content-type": "application/json"}


def receiver(endpoint: MakeEndpoint, record: Provider = FULL, **options: Any) -> Endpoint:
    return endpoint(routes={"/hook": record.chain(public_keys=PUBLIC, public_url=HERE, **options)})


def sent(record: Provider = FULL, **arguments: Any) -> Delivery:
    return record.sign(BODY, secret=PRIVATE, **{"at": NOW, "url": HERE, "headers": TYPED, **arguments})


def with_header(delivery: Delivery, name: str, value: str) -> Delivery:
    return delivery._replace(headers={**delivery.headers, name: value})


def test_method_address_query_and_nonce_are_covered(endpoint: MakeEndpoint) -> None:
    made = receiver(endpoint, methods=["POST", "PUT"])
    genuine = sent(id="n1", url=f"{HERE}?a=1")
    for other in (genuine._replace(method="PUT"), genuine._replace(url=f"{HERE}?a=2"), genuine._replace(url=HERE)):
        assert (made.post(other).status, made.reason) == (401, "signature_mismatch")
    assert made.post(with_header(genuine, "content-type", "text/plain")).status == 401
    assert made.post(genuine).status == 200
    assert (made.last.id, made.last.timestamp, made.last.coverage) == ("n1", NOW, "body")


LINE = 'sig1=("@method" "@target-uri" "content-digest" "content-type");created=1700000000;nonce="n1";alg="ed25519"'


@pytest.mark.parametrize(
    ("covered", "reason"),
    [
        pytest.param(LINE.replace(' "content-digest"', ""), "signature_malformed", id="digest-left-out"),
        pytest.param(LINE.replace('"@method" ', ""), "signature_malformed", id="method-left-out"),
        pytest.param(LINE.replace('"@method"', '"@method" "@method"'), "signature_malformed", id="component-twice"),
        pytest.param(LINE.replace('"@method"', "method"), "signature_malformed", id="token"),
        pytest.param(LINE.replace('"@method"', '"@method";req'), "signature_malformed", id="of-a-request"),
        pytest.param(LINE.replace('"content-type"', '"content-type";sf'), "signature_malformed", id="structured"),
        pytest.param(LINE.replace('"@method"', '"@method" "@status"'), "signature_malformed", id="status"),
        pytest.param(LINE.replace('"@method"', '"@method" "x-absent"'), "signature_malformed", id="absent-header"),
        pytest.param(LINE.replace('"@method"', '"@method" "@nonsense"'), "signature_malformed", id="unknown"),
        pytest.param(LINE.replace("ed25519", "hmac-sha256"), "algorithm_not_allowed", id="another-algorithm"),
        pytest.param(LINE.replace('"ed25519"', "ed25519"), "signature_mismatch", id="algorithm-as-token"),
        pytest.param(LINE + ";created=1700000001", "signature_malformed", id="created-twice"),
        pytest.param(LINE.replace("1700000000", "1700000001"), "signature_mismatch", id="created-altered"),
        pytest.param(LINE.replace("1700000000", '"1700000000"'), "timestamp_malformed", id="created-text"),
        pytest.param(LINE.replace("created=1700000000;", ""), "signature_mismatch", id="no-created"),
        pytest.param(LINE + ";expires=1699999999", "timestamp_expired", id="expired"),
        pytest.param(LINE + ";expires=?1", "timestamp_malformed", id="expires-truth"),
        pytest.param(LINE + ", " + LINE.replace("sig1", "sig2"), "signature_malformed", id="two-signatures"),
        pytest.param(LINE + ", " + LINE, "signature_malformed", id="label-twice"),
        pytest.param(LINE.replace("sig1", "sig2"), "signature_missing", id="another-label"),
        pytest.param("sig1", "signature_malformed", id="no-list"),
        pytest.param("sig1=()", "signature_malformed", id="nothing-covered"),
        pytest.param(LINE + ",", "signature_malformed", id="comma-at-the-end"),
        pytest.param(LINE.replace(" ", "\t"), "signature_malformed", id="tabs"),
        pytest.param("", "signature_missing", id="empty"),
        pytest.param(LINE + ';keyid="é"', "signature_malformed", id="beyond-ascii"),
    ],
)
def test_a_signature_that_covers_less_or_otherwise_is_refused(
    covered: str, reason: str, endpoint: MakeEndpoint
) -> None:
    made = receiver(endpoint)
    genuine = sent(id="n1")
    assert genuine.headers["signature-input"] == LINE
    assert (made.post(with_header(genuine, "signature-input", covered)).status, made.calls) == (401, [])
    assert made.reason == reason


def test_a_header_cannot_bring_a_line_of_its_own_into_what_is_signed(endpoint: MakeEndpoint) -> None:
    made = receiver(endpoint, FULL.using(components=("x-note",), id=None))
    genuine = sent(FULL.using(components=("x-note",), id=None), headers={"x-note": "a"})
    for value in ('a\n"@method": POST', "a\r\n b", "a\0"):
        assert made.post(with_header(genuine, "x-note", value)).status == 401
    assert made.post(genuine).status == 200
    assert made.last.coverage == "caller"


@pytest.mark.parametrize("digest", ["", "sha-256=:AAAA:", "md5=:AAAA:", "sha-256=x", "sha-256=?1", "SHA-256=:AAAA:"])
def test_a_digest_that_is_none_is_refused(digest: str, endpoint: MakeEndpoint) -> None:
    made = receiver(endpoint)
    forged = sent(headers={**TYPED, "content-digest": digest}) if digest else with_header(sent(), "content-digest", "")
    assert made.post(forged).status == 401
    assert made.reason in {"signature_malformed", "signature_mismatch"}


def test_every_digest_that_is_understood_must_be_the_bodys(endpoint: MakeEndpoint) -> None:
    made = receiver(endpoint)
    right = f"{DIGEST}, sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:, unixsum=:AAAA:"
    assert made.post(sent(headers={**TYPED, "content-digest": right})).status == 200
    wrong = right.replace("X48E", "X48F")
    assert made.post(sent(id="2", headers={**TYPED, "content-digest": wrong})).status == 401


def test_one_of_two_signatures_counts_if_the_record_names_it(endpoint: MakeEndpoint) -> None:
    record = FULL.using(label="ours")
    made = receiver(endpoint, record)
    genuine = sent(record, id="n1")
    headers = {
        "signature-input": f'theirs=("@method");created=1, {genuine.headers["signature-input"]}',
        "signature": f"theirs=:AAAA:, {genuine.headers['signature']}",
    }
    assert made.post(genuine._replace(headers={**genuine.headers, **headers})).status == 200


def test_a_tag_can_be_demanded(endpoint: MakeEndpoint) -> None:
    record = FULL.using(expects=("tag",))
    made = receiver(endpoint, record, expect={"tag": "shop"})
    assert made.post(sent(record, expect={"tag": "shop"})).status == 200
    for other in ({"tag": "bank"}, {}):
        assert (made.post(sent(record, expect=other)).status, made.reason) == (401, "signature_mismatch")


def test_a_query_parameter_can_be_covered_once(endpoint: MakeEndpoint) -> None:
    made = receiver(endpoint, RFC9421.using(components=()))
    covered = 'sig1=("@query-param";name="a%20b");created=1700000000'
    from hooklatch.private_keys import private_key

    content = f'"@query-param";name="a%20b": c%2Fd\n"@signature-params": {covered.removeprefix("sig1=")}'
    signature = base64.b64encode(private_key("ed25519", PRIVATE).sign(content.encode())).decode()
    headers = {"signature-input": covered, "signature": f"sig1=:{signature}:"}
    for query, status in (("a+b=c/d", 200), ("a%20b=c%2Fd&x=y", 200), ("a+b=c/d&a%20b=e", 401), ("x=y", 401)):
        assert made.post(Delivery("POST", f"{HERE}?{query}", headers, BODY + query.encode())).status == status


@pytest.mark.parametrize("component", ["@authority", "@scheme", "@target-uri"])
def test_a_route_whose_address_is_signed_must_say_it(component: str) -> None:
    with pytest.raises(ConfigError, match="public_url="):
        RFC9421.using(components=(component,)).chain(public_keys=PUBLIC)


def test_what_cannot_be_signed_is_said() -> None:
    with pytest.raises(ConfigError, match="content-type"):
        sent(headers={})


@pytest.mark.parametrize(
    "text",
    ["a=1, a=2", "a=1,", "A=1", "a=(1 2", "a=(1,2)", 'a="é"', "a=:AB:", "a=1.", "a=1.1234", "a=--1", "a=?2", "a=", "=1",
     "a=1 b=2", "a;x;x", "a=(1)(2)", 'a="\\x"', "a=(1)2", "a=12345678901234567", ""],
)  # fmt: skip
def test_a_dictionary_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        dictionary(text)


def test_a_dictionary_is_written_as_it_was_read() -> None:
    for text in ('(1 2.50 "a\\"b";q tok/en :YWI=: ?0);x="\\\\";y=?0', "()", '"";a=1', "*a-b.c"):
        assert str(dictionary(f"key={text}")["key"]) == text
    assert str(dictionary("key;a=?1")["key"]) == "?1;a"


# A second implementation.

ALGORITHMS = {
    "ed25519": hms.algorithms.ED25519,
    "ecdsa-p256-sha256-p1363": hms.algorithms.ECDSA_P256_SHA256,
    "rsa-pss-sha512": hms.algorithms.RSA_PSS_SHA512,
    "rsa-pkcs1v15-sha256": hms.algorithms.RSA_V1_5_SHA256,
    "hmac-sha256": hms.algorithms.HMAC_SHA256,
}


class Resolver(hms.HTTPSignatureKeyResolver):
    def __init__(self, private: str, public: str) -> None:
        self.private, self.public = private.encode(), public.encode()

    def resolve_private_key(self, key_id: str) -> bytes:
        return self.private

    def resolve_public_key(self, key_id: str) -> bytes:
        return self.public


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_another_implementation_signs_what_we_accept(algorithm: str, endpoint: MakeEndpoint) -> None:
    shared = algorithm.startswith("hmac")
    private, public = (key_samples.SECRET,) * 2 if shared else key_samples.pair(algorithm, 0)
    record = FULL.using(algorithm=algorithm, id=None)
    chain = record.chain(public, public_url=HERE) if shared else record.chain(public_keys=public, public_url=HERE)
    made = endpoint(routes={"/hook": chain})
    made.clock.now = NOW
    request = requests.Request("POST", f"{HERE}?a=1", data=BODY, headers={**TYPED, "Content-Digest": DIGEST}).prepare()
    signer = hms.HTTPMessageSigner(signature_algorithm=ALGORITHMS[algorithm], key_resolver=Resolver(private, public))
    signer.sign(
        request,
        key_id="k",
        covered_component_ids=("@method", "@target-uri", "content-digest", "content-type", "@authority", "@query"),
        created=dt.datetime.fromtimestamp(NOW, dt.UTC),
        use_existing_digest=True,
    )
    headers = {name.lower(): value for name, value in request.headers.items()}
    assert made.post(Delivery("POST", f"{HERE}?a=1", headers, BODY)).status == 200
    assert made.post(Delivery("POST", f"{HERE}?a=2", headers, BODY)).status == 401


# Kong.


def kong(endpoint: MakeEndpoint, record: Provider = KONG_HMAC) -> Endpoint:
    return endpoint(routes={"/hook": record.chain(key_samples.SECRET)})


@pytest.mark.parametrize(
    "change",
    [
        ('algorithm="hmac-sha256"', 'algorithm="hmac-sha1"'),
        ('headers="x-date request-line digest"', 'headers="x-date request-line"'),
        ('headers="x-date request-line digest"', 'headers="request-line digest"'),
        ('headers="x-date request-line digest"', 'headers="x-date x-date request-line digest"'),
        ('headers="x-date request-line digest"', 'headers="x-date request-line digest x-absent"'),
        ('headers="x-date', 'headers="(request-target) x-date'),
        ('username="hooklatch"', 'username="hooklatch", username="other"'),
        (', headers="x-date request-line digest"', ""),
        ("hmac ", "Hmac "),
        ("hmac ", ""),
    ],
)
def test_kongs_header_is_read_strictly(change: tuple[str, str], endpoint: MakeEndpoint) -> None:
    made = kong(endpoint)
    genuine = key_samples.sent(KONG_HMAC)
    altered = genuine.headers["authorization"].replace(*change)
    assert altered != genuine.headers["authorization"]
    assert (made.post(with_header(genuine, "authorization", altered)).status, made.calls) == (401, [])


def test_the_date_that_was_judged_is_the_one_that_was_signed(endpoint: MakeEndpoint) -> None:
    made = kong(endpoint)
    genuine = KONG_HMAC.using(timestamp=Header("date")).sign(
        BODY, secret=key_samples.SECRET, at=NOW - 9000, url="/hook"
    )
    fresh = key_samples.sent(KONG_HMAC).headers["x-date"]
    assert (made.post(with_header(genuine, "x-date", fresh)).status, made.reason) == (401, "signature_malformed")


def test_kongs_digest_is_computed_again(endpoint: MakeEndpoint) -> None:
    made = kong(endpoint)
    genuine = key_samples.sent(KONG_HMAC)
    for digest in ("", "SHA-256=", "MD5=AAAA", "SHA-256=AAAA"):
        assert made.post(with_header(genuine, "digest", digest)).status == 401
    assert made.post(genuine._replace(body=b"{}")).status == 401
    assert made.reason == "signature_mismatch"
