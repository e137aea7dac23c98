"""Published and computed deliveries of every sender: what is genuine is accepted, what is altered is refused."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hooklatch import Chain, Delivery, Header, Provider, Rejected
from hooklatch.cli import main
from hooklatch.cli import options as told
from hooklatch.keys import PUBLIC_ALGORITHMS
from hooklatch.providers import GITHUB, MOMENTO, PATCHWORKS, STANDARD_WEBHOOKS, STRIPE, provider
from hooklatch.testing import Request
from worlds import Endpoint

DATA = Path(__file__).parent / "data"
VECTORS: list[dict[str, Any]] = [
    vector for file in sorted(DATA.glob("vectors*.json")) for vector in json.loads(file.read_text())
]
HMAC: dict[str, Any] = json.loads((DATA / "hmac_vectors.json").read_text())

MakeEndpoint = Callable[..., Endpoint]


def delivery_of(vector: dict[str, Any]) -> Delivery:
    body = base64.b64decode(vector["body_b64"]) if "body_b64" in vector else vector["body"].encode()
    return Delivery(vector["method"], vector["url"], vector["headers"], body)


def record_of(vector: dict[str, Any]) -> Provider:
    arguments = vector.get("scheme_args", {})
    record = provider("_".join([vector["provider"], *filter(None, [arguments.get("ver")])]))
    return record.using(algorithm="hmac-ripemd128") if arguments.get("alg") == "ripemd128" else record


def chain_of(vector: dict[str, Any]) -> Chain:
    arguments, extra = vector.get("scheme_args", {}), vector.get("extra", {})
    record, options = told.apply(record_of(vector), vector.get("options", ()))
    if "tol" in arguments:
        options["max_age"] = arguments["tol"]
    if record.signs_url and "public_url" not in options:
        options["public_url"] = extra.get("registered_url", vector["url"].partition("?")[0])
    if record.expects and "expect" not in options:
        options["expect"] = {name: extra[name] for name in record.expects}
    if record.algorithm in PUBLIC_ALGORITHMS:
        return record.chain(public_keys=vector["secret"], **options)
    return record.chain(vector["secret"], **options)


def path_of(delivery: Delivery) -> str:
    return "/" + delivery.url.split("/", 3)[3].split("?")[0]


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["id"] for vector in VECTORS])
def test_a_vector_comes_out_as_it_says(vector: dict[str, Any], endpoint: MakeEndpoint) -> None:
    delivery = delivery_of(vector)
    made = endpoint(routes={path_of(delivery): chain_of(vector)})
    made.clock.now = vector["now"]
    answered = made.post(delivery)
    if vector["valid"]:
        assert (answered.status, len(made.calls), made.calls[0].body) == (200, 1, delivery.body)
    else:
        assert (answered.status, made.calls) == (record_of(vector).refusal_status, [])


def argv_of(vector: dict[str, Any]) -> list[str]:
    """Return the options of ``hooklatch verify`` that the vector calls for."""
    arguments, extra = vector.get("scheme_args", {}), vector.get("extra", {})
    record = record_of(vector)
    given = list(vector.get("options", ()))
    given += [] if given else [f"expect.{name}={extra[name]}" for name in record.expects]
    given += [f"version={arguments['ver']}"] if "ver" in arguments else []
    given += ["algorithm=hmac-ripemd128"] if arguments.get("alg") == "ripemd128" else []
    given += [f"max_age={'none' if arguments['tol'] is None else arguments['tol']}"] if "tol" in arguments else []
    if record.signs_url and not any(one.startswith("public_url=") for one in given):
        given.append(f"public_url={extra.get('registered_url', vector['url'].partition('?')[0])}")
    return ["--provider", vector["provider"], "--now", str(vector["now"]), *(w for g in given for w in ("--option", g))]


SHARED = [v for v in VECTORS if record_of(v).algorithm not in PUBLIC_ALGORITHMS]


@pytest.mark.parametrize("vector", SHARED, ids=[vector["id"] for vector in SHARED])
def test_the_command_line_comes_to_the_same_verdict(
    vector: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "request.json").write_text(json.dumps(vector))
    monkeypatch.setenv("HOOKLATCH_SECRET", vector["secret"])
    assert main(["verify", *argv_of(vector), str(tmp_path / "request.json")]) == (0 if vector["valid"] else 1)


PUBLISHED = [
    v for v in VECTORS if v["valid"] and v["id"] in {"github-01", "standard_webhooks-01", "stripe-01", "momento-01"}
]


@pytest.mark.parametrize("vector", PUBLISHED, ids=[vector["id"] for vector in PUBLISHED])
def test_any_one_changed_byte_of_a_published_delivery_is_refused(
    vector: dict[str, Any], endpoint: MakeEndpoint
) -> None:
    genuine = delivery_of(vector)
    made = endpoint(routes={path_of(genuine): chain_of(vector)})
    made.clock.now = vector["now"]
    for place in range(len(genuine.body)):
        body = bytearray(genuine.body)
        body[place] ^= 1
        assert made.post(genuine._replace(body=bytes(body))).status in {401, 403}
    name = next(n for n in genuine.headers if "signature" in n.lower())
    for place in range(len(genuine.headers[name])):
        text = genuine.headers[name]
        other = "0" if text[place] != "0" else "1"
        changed = {**genuine.headers, name: text[:place] + other + text[place + 1 :]}
        assert made.post(genuine._replace(headers=changed)).status in {401, 403}, changed
    assert made.calls == []
    assert made.post(genuine).status == 200


def test_momentos_own_vector_is_refused_without_a_time_unless_the_age_check_is_off(endpoint: MakeEndpoint) -> None:
    vector = next(v for v in VECTORS if v["id"] == "momento-01")
    strict = endpoint(routes={"/hook": MOMENTO.chain(vector["secret"])})
    assert strict.post(delivery_of(vector)).status == 403
    assert strict.reason == "timestamp_missing"
    lax = endpoint(routes={"/hook": MOMENTO.chain(vector["secret"], max_age=None)})
    assert lax.post(delivery_of(vector)).status == 200


def plain(algorithm: str) -> Provider:
    return Provider(name="plain", signature=Header("x-signature"), algorithm=algorithm)


RFC = [
    pytest.param(algorithm, vector, id=f"{algorithm}-{place}")
    for algorithm, name in {
        "hmac-sha256": "hmac_sha256_rfc4231",
        "hmac-ripemd128": "hmac_ripemd128_rfc2286",
        "hmac-sha3-256": "hmac_sha3_256_nist",
    }.items()
    for place, vector in enumerate(HMAC[name]["vectors"])
]


@pytest.mark.parametrize(("algorithm", "vector"), RFC)
def test_the_published_hmac_values_verify_whole_and_never_truncated(
    algorithm: str, vector: dict[str, Any], endpoint: MakeEndpoint
) -> None:
    made = endpoint(routes={"/hook": plain(algorithm).chain(bytes.fromhex(vector["key_hex"]))})
    body = bytes.fromhex(vector["msg_hex"])
    mac = vector["mac_hex"]
    genuine = Delivery("POST", "/hook", {"x-signature": mac}, body)
    whole = {"hmac-sha256": 64, "hmac-ripemd128": 32, "hmac-sha3-256": 64}[algorithm]
    if len(mac) < whole:
        assert made.post(genuine).status == 401
        return
    for wrong in (mac[:-2], mac[:32] if whole > 32 else mac[:16], mac[:-1] + ("0" if mac[-1] != "0" else "1")):
        assert made.post(genuine._replace(headers={"x-signature": wrong})).status == 401
    if body:
        assert made.post(genuine._replace(body=bytes([body[0] ^ 1]) + body[1:])).status == 401
    assert made.post(genuine).status == 200
    assert [seen.body for seen in made.calls] == [body]


@pytest.mark.parametrize(
    "algorithm", ["hmac-sha1", "hmac-sha256", "hmac-sha384", "hmac-sha512", "hmac-sha3-256", "hmac-ripemd128"]
)
@pytest.mark.parametrize("encoding", ["hex", "base64", "base64url"])
def test_every_algorithm_in_every_encoding_signs_and_verifies(algorithm: str, encoding: str) -> None:
    record = plain(algorithm).using(encoding=encoding)
    delivery = record.sign(b"body \xff\x00", secret=b"\x00a secret of bytes")
    assert record.chain(b"\x00a secret of bytes").verify(headers=delivery.headers, body=delivery.body).key_index == 0


def test_the_python_standard_library_agrees_on_every_hmac_it_has() -> None:
    import hmac

    for name in ("sha1", "sha256", "sha384", "sha512", "sha3-256"):
        for secret in (b"k", b"k" * 64, b"k" * 136, b"k" * 137, b"k" * 500):
            delivery = plain(f"hmac-{name}").sign(b"content" * 50, secret=secret)
            expected = hmac.new(secret, b"content" * 50, name.replace("-", "_")).hexdigest()
            assert delivery.headers["x-signature"] == expected


SIGNED = "x2oskxuFgcSwU5nXi06hOo2gSJV3zoUKgNwwWNYjUjM="


@pytest.mark.parametrize(
    ("record", "signature", "reason"),
    [
        pytest.param(GITHUB, "", "signature_missing", id="empty"),
        pytest.param(GITHUB, " \t ", "signature_missing", id="blank"),
        pytest.param(GITHUB, "sha1=" + "0" * 40, "algorithm_not_allowed", id="another-algorithm"),
        pytest.param(GITHUB, "0" * 64, "signature_malformed", id="no-prefix"),
        pytest.param(GITHUB, "sha256=" + "0" * 62, "signature_malformed", id="short"),
        pytest.param(GITHUB, "sha256=" + "0" * 66, "signature_malformed", id="long"),
        pytest.param(GITHUB, "sha256=" + "0" * 62 + " 0", "signature_malformed", id="blank-inside"),
        pytest.param(GITHUB, "sha256=" + "0" * 64 + "\xa0", "signature_malformed", id="no-break-space"),
        pytest.param(GITHUB, "sha256=\xe9" + "0" * 63, "signature_malformed", id="beyond-ascii"),
        pytest.param(GITHUB, "sha256=" + "0" * 32 + "\r\n " + "0" * 32, "signature_malformed", id="folded"),
        pytest.param(GITHUB, "sha256=" + "0" * 64, "signature_mismatch", id="wrong"),
        pytest.param(STANDARD_WEBHOOKS, "v1", "signature_malformed", id="label-alone"),
        pytest.param(STANDARD_WEBHOOKS, "v1,", "signature_malformed", id="label-without-value"),
        pytest.param(STANDARD_WEBHOOKS, f"v2,{SIGNED}", "algorithm_not_allowed", id="another-version"),
        pytest.param(STANDARD_WEBHOOKS, f"v1,{SIGNED[:-1]}", "signature_malformed", id="no-padding"),
        pytest.param(STANDARD_WEBHOOKS, f"v1,{SIGNED[:-2]}N=", "signature_malformed", id="not-canonical"),
        pytest.param(STANDARD_WEBHOOKS, f"v1,{SIGNED.replace('u', '-')}", "signature_malformed", id="base64url"),
        pytest.param(STANDARD_WEBHOOKS, " ".join([f"v1,{SIGNED}"] * 9), "signature_malformed", id="nine-signatures"),
        pytest.param(STANDARD_WEBHOOKS, " ".join([f"v1,{SIGNED}"] * 200), "signature_malformed", id="nine-kilobytes"),
        pytest.param(STRIPE, "garbage", "signature_malformed", id="no-parts"),
        pytest.param(STRIPE, f"t=1700000000,v0={'0' * 64}", "algorithm_not_allowed", id="old-version-only"),
        pytest.param(STRIPE, f"v1={'0' * 64}", "timestamp_missing", id="no-time"),
        pytest.param(STRIPE, f"t=1,t=1700000000,v1={'0' * 64}", "signature_malformed", id="two-times"),
        pytest.param(STRIPE, f"t=1700000000,v1={'0' * 64}", "signature_mismatch", id="wrong-part"),
        pytest.param(PATCHWORKS, "0" * 64 + "," + "0" * 64, "signature_malformed", id="joined-by-the-server"),
    ],
)
def test_a_signature_that_is_not_one_is_refused_with_its_reason(
    record: Provider, signature: str, reason: str, endpoint: MakeEndpoint
) -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    made = endpoint(routes={"/hook": record.chain(secret)})
    genuine = record.sign(b'{"event":"push","n":1}', secret=secret, at=made.clock(), url="/hook")
    (place,) = record.places
    assert isinstance(place, Header)
    answered = made.post(genuine._replace(headers={**genuine.headers, place.names[0]: signature}))
    assert (answered.status, made.reason, made.calls) == (401, reason, [])
    assert made.post(genuine).status == 200


def test_spaces_and_tabs_around_a_signature_are_no_part_of_it(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={"/hook": GITHUB.chain("a secret of sixteen")})
    genuine = GITHUB.sign(b"{}", secret="a secret of sixteen", url="/hook")
    padded = genuine.headers["x-hub-signature-256"] + " \t"
    assert made.post(genuine._replace(headers={"x-hub-signature-256": padded})).status == 200


def test_a_right_signature_counts_wherever_it_stands_among_several(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={"/hook": STRIPE.chain("a secret of sixteen", on_duplicate="run")})
    genuine = STRIPE.sign(b'{"id":"evt_1"}', secret="a secret of sixteen", at=made.clock(), url="/hook")
    time, right = _split(genuine)
    wrong = f"v1={'0' * 64}"
    for parts in ([right, wrong], [wrong, right], [wrong, "v0=00", right, "other=1"]):
        made.post(genuine._replace(headers={"stripe-signature": ",".join([time, *parts])}))
    assert len(made.calls) == 3


def _split(delivery: Delivery) -> tuple[str, str]:
    parts = delivery.headers["stripe-signature"].split(",")
    return next(p for p in parts if p.startswith("t=")), next(p for p in parts if p.startswith("v1="))


def test_a_repeated_signature_header_is_refused_even_if_one_of_the_lines_is_right(endpoint: MakeEndpoint) -> None:
    made = endpoint(routes={"/hook": GITHUB.chain("a secret of sixteen")})
    genuine = GITHUB.sign(b"{}", secret="a secret of sixteen", url="/hook")
    right = genuine.headers["x-hub-signature-256"]
    lines = [("x-hub-signature-256", right), ("x-hub-signature-256", right)]
    assert made.post(Request("POST", "/hook", lines, b"{}")).status == 401
    assert made.reason in {"header_duplicated", "signature_malformed"}


def test_base64_accepts_one_spelling_of_a_signature() -> None:
    record = plain("hmac-sha256").using(encoding="base64")
    genuine = record.sign(b"{}", secret="a secret of sixteen")
    text = genuine.headers["x-signature"]
    # Thirty-two bytes leave two bits of the last character free: four spellings decode alike in lax decoders.
    twins = [text[:-2] + chr(last) + "=" for last in range(33, 127)]
    alike = [twin for twin in twins if _lax(twin) == _lax(text)]
    assert len(alike) == 4
    chain = record.chain("a secret of sixteen")
    for twin in twins:
        if twin == text:
            chain.verify(headers={"x-signature": twin}, body=b"{}")
        else:
            with pytest.raises(Rejected):
                chain.verify(headers={"x-signature": twin}, body=b"{}")


def _lax(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except ValueError:
        return b""
