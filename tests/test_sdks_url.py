"""Senders' own libraries agree with the records, on what they sign and on what they accept.

They are large and change often, so they are a dependency group of their own (``sdks``); without them nothing runs here.
"""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import samples
from hooklatch import Answer, Delivery
from hooklatch.chain import Chain
from hooklatch.documents import FormDocument
from hooklatch.providers import ADYEN, BRAINTREE, CLOUDINARY, HUBSPOT, HUBSPOT_V1, HUBSPOT_V2, PLIVO, SQUARE, TWILIO

# What the libraries do with deprecated parts of Python is their own affair.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

SECRET = "a secret of sixteen"
URL = "https://receiver.example/hook"
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,8}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=12)
FIELDS = st.dictionaries(NAMES, TEXTS, min_size=1, max_size=6)
BODIES = st.dictionaries(TEXTS, TEXTS, max_size=4).map(lambda value: json.dumps(value, ensure_ascii=False))
QUIET = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def accepts(chain: Chain, delivery: Delivery, now: float | None = None) -> bool:
    try:
        chain.verify(**delivery._asdict(), now=now)
    except Answer:
        return False
    return True


@QUIET
@given(fields=FIELDS, port=st.sampled_from(["", ":443", ":8443"]))
def test_twilio(fields: dict[str, str], port: str) -> None:
    validator = pytest.importorskip("twilio.request_validator").RequestValidator(SECRET)
    url = f"https://receiver.example{port}/hook"
    made = TWILIO.sign(fields, secret=SECRET, url=url)
    assert validator.validate(url, fields, made.headers["x-twilio-signature"])
    theirs = validator.compute_signature(f"{URL}?a=%20", fields)
    delivery = made._replace(url=f"{URL}?a=%20", headers={**made.headers, "x-twilio-signature": theirs})
    chain = TWILIO.chain(SECRET, public_url=url)
    assert accepts(chain, delivery)
    assert not accepts(chain, delivery._replace(url=f"{URL}?a=+"))
    assert not validator.validate(f"{URL}?a=+", fields, theirs)


@QUIET
@given(body=BODIES)
def test_twilio_json(body: str) -> None:
    validator = pytest.importorskip("twilio.request_validator").RequestValidator(SECRET)
    made = TWILIO.sign(body.encode(), secret=SECRET, url=URL)
    assert validator.validate(made.url, body, made.headers["x-twilio-signature"])
    assert not validator.validate(made.url, f"{body} ", made.headers["x-twilio-signature"])


@QUIET
@given(fields=FIELDS, query=st.dictionaries(NAMES, NAMES, max_size=3))
def test_plivo(fields: dict[str, str], query: dict[str, str]) -> None:
    utils = pytest.importorskip("plivo").utils
    url = f"{URL}?{'&'.join(f'{name}={value}' for name, value in query.items())}" if query else URL
    made = PLIVO.sign(fields, secret=SECRET, url=url)
    nonce, signature = made.headers["x-plivo-signature-v3-nonce"], made.headers["x-plivo-signature-v3"]
    assert utils.validate_v3_signature("POST", url, nonce, SECRET, signature, dict(fields))
    assert not utils.validate_v3_signature("POST", url, nonce, SECRET, signature, {**fields, "More": "1"})
    called = PLIVO.sign(b"", secret=SECRET, url=url, method="GET")
    nonce, signature = called.headers["x-plivo-signature-v3-nonce"], called.headers["x-plivo-signature-v3"]
    assert utils.validate_v3_signature("GET", url, nonce, SECRET, signature, {})
    assert accepts(PLIVO.chain(SECRET, public_url=URL), called)


@QUIET
@given(body=BODIES)
def test_square(body: str) -> None:
    verify = pytest.importorskip("square.utils.webhooks_helper").verify_signature
    made = SQUARE.sign(body.encode(), secret=SECRET, url=URL)
    arguments = {"signature_header": made.headers["x-square-hmacsha256-signature"], "signature_key": SECRET}
    assert verify(request_body=body, notification_url=URL, **arguments)
    assert not verify(request_body=f"{body} ", notification_url=URL, **arguments)


@QUIET
@given(body=BODIES, method=st.sampled_from(["POST", "GET"]))
def test_hubspot(body: str, method: str) -> None:
    signature = pytest.importorskip("hubspot.utils.signature").Signature
    now = int(time.time())
    for version, record, header in (
        ("v1", HUBSPOT_V1, "x-hubspot-signature"),
        ("v2", HUBSPOT_V2, "x-hubspot-signature"),
        ("v3", HUBSPOT, "x-hubspot-signature-v3"),
    ):
        made = record.sign(body.encode(), secret=SECRET, url=URL, method=method, at=now)
        arguments: dict[str, Any] = {"signature_version": version, "http_method": method, "http_uri": URL}
        arguments |= {"client_secret": SECRET, "timestamp": made.headers.get("x-hubspot-request-timestamp")}
        assert signature.is_valid(made.headers[header], request_body=body, **arguments)
        assert not signature.is_valid(made.headers[header], request_body=f"{body} ", **arguments)


@QUIET
@given(body=BODIES, algorithm=st.sampled_from(["sha1", "sha256"]))
def test_cloudinary(body: str, algorithm: str) -> None:
    cloudinary = pytest.importorskip("cloudinary")
    utils = pytest.importorskip("cloudinary.utils")
    cloudinary.config(api_secret=SECRET)
    made = CLOUDINARY.using(algorithm=f"{algorithm}-secret-suffix").sign(body.encode(), secret=SECRET)
    timestamp, signature = made.headers["x-cld-timestamp"], made.headers["x-cld-signature"]
    assert utils.verify_notification_signature(body, int(timestamp), signature, algorithm=algorithm)
    assert not utils.verify_notification_signature(f"{body} ", int(timestamp), signature, algorithm=algorithm)


@QUIET
@given(
    facts=st.fixed_dictionaries(
        {},
        optional={
            "pspReference": NAMES,
            "originalReference": NAMES,
            "merchantAccountCode": NAMES,
            "merchantReference": TEXTS,
            "eventCode": NAMES,
            "success": st.sampled_from(["true", "false"]),
        },
    ),
    value=st.integers(0, 10**9),
)
def test_adyen(facts: dict[str, str], value: int) -> None:
    util = pytest.importorskip("Adyen.util")
    notification = {**facts, "amount": {"currency": "EUR", "value": value}}
    body = {"notificationItems": [{"NotificationRequestItem": notification}]}
    made = ADYEN.sign(body, secret=samples.WRITTEN["hex"])
    assert util.is_valid_hmac_notification(json.loads(made.body), samples.WRITTEN["hex"])
    altered = json.loads(made.body)
    altered["notificationItems"][0]["NotificationRequestItem"]["amount"]["value"] += 1
    assert not util.is_valid_hmac_notification(altered, samples.WRITTEN["hex"])
    assert accepts(ADYEN.chain(samples.WRITTEN["hex"]), made)


@pytest.mark.parametrize("kind", ["subscription_went_past_due", "dispute_opened", "check"])
def test_braintree(kind: str) -> None:
    braintree = pytest.importorskip("braintree")
    errors = pytest.importorskip("braintree.exceptions.invalid_signature_error")
    given_keys = {"merchant_id": "merchant", "public_key": "ours", "private_key": SECRET}
    gateway = braintree.BraintreeGateway(
        braintree.Configuration(environment=braintree.Environment.Sandbox, **given_keys)
    )
    theirs = gateway.webhook_testing.sample_notification(kind, "an_id")
    signature, payload = theirs["bt_signature"], theirs["bt_payload"].decode()
    chain = BRAINTREE.chain(SECRET, expect={"public_key": "ours"})
    ours = BRAINTREE.sign({"bt_payload": payload}, secret=SECRET, expect={"public_key": "ours"})
    assert chain.verify(**ours._asdict()).fields["bt_payload"] == payload
    given_theirs = {"bt_signature": signature, "bt_payload": payload}
    assert accepts(chain, BRAINTREE.sign(given_theirs, secret="another secret", expect={"public_key": "ours"}))
    assert gateway.webhook_notification.parse(FormDocument(ours.body).text("bt_signature"), payload).kind == kind
    with pytest.raises(errors.InvalidSignatureError):
        gateway.webhook_notification.parse(signature, f"AAAA{payload}")
