"""The senders' own libraries behind one face each: whether they take a delivery, and what they sign where they do."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from types import SimpleNamespace
from typing import Any, NamedTuple

from hypothesis import strategies as st

from hooklatch import Provider
from hooklatch.providers import (
    CLERK,
    GITHUB,
    GOCARDLESS,
    LITHIC,
    MODERN_TREASURY,
    MOLLIE,
    OPENAI,
    PADDLE,
    POLAR,
    PUSHER,
    RAZORPAY,
    REPLICATE,
    RESEND,
    RETELL,
    SLACK,
    SMARTCAR,
    STANDARD_WEBHOOKS,
    STRIPE,
    SVIX,
    WORKOS,
)

TEXT_SECRET = "a made-up secret"
WHSEC = "whsec_YSBtYWRlLXVwIHNlY3JldCBvZiBtYW55IGJ5dGVz"


class Lines(dict[str, str]):
    """Headers whose names have no case, as the libraries expect them of a request."""

    def __init__(self, given: Mapping[str, str]) -> None:
        super().__init__({name.lower(): value for name, value in given.items()})

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())


Verify = Callable[[bytes, Lines, str], object]
"""Raises, or returns something false, for a delivery that the library refuses."""
Sign = Callable[[bytes, str, int], dict[str, str]]


def stripe_verifies(body: bytes, headers: Lines, secret: str) -> object:
    import stripe

    return stripe.WebhookSignature.verify_header(body.decode(), headers["stripe-signature"], secret, 300)


def stripe_signs(body: bytes, secret: str, now: int) -> dict[str, str]:
    import stripe

    signature = stripe.WebhookSignature._compute_signature(f"{now}.{body.decode()}", secret)
    return {"Stripe-Signature": f"t={now},v1={signature}"}


def slack_verifies(body: bytes, headers: Lines, secret: str) -> object:
    from slack_sdk.signature import SignatureVerifier

    return SignatureVerifier(secret).is_valid_request(body, headers)


def slack_signs(body: bytes, secret: str, now: int) -> dict[str, str]:
    from slack_sdk.signature import SignatureVerifier

    signature = SignatureVerifier(secret).generate_signature(timestamp=str(now), body=body)
    assert signature is not None
    return {"X-Slack-Signature": signature, "X-Slack-Request-Timestamp": str(now)}


def standard_webhooks_verifies(body: bytes, headers: Lines, secret: str) -> object:
    from standardwebhooks import Webhook

    Webhook(secret).verify(body, headers)
    return True


def standard_webhooks_signs(body: bytes, secret: str, now: int) -> dict[str, str]:
    from standardwebhooks import Webhook

    signature = Webhook(secret).sign("msg_1", datetime.fromtimestamp(now, UTC), body.decode())
    return {"webhook-id": "msg_1", "webhook-timestamp": str(now), "webhook-signature": signature}


def svix_verifies(body: bytes, headers: Lines, secret: str) -> object:
    from svix.webhooks import Webhook

    Webhook(secret).verify(body, headers)
    return True


def svix_signs(body: bytes, secret: str, now: int) -> dict[str, str]:
    from svix.webhooks import Webhook

    signature = Webhook(secret).sign("msg_1", datetime.fromtimestamp(now, UTC), body.decode())
    return {"svix-id": "msg_1", "svix-timestamp": str(now), "svix-signature": signature}


def github_verifies(body: bytes, headers: Lines, secret: str) -> object:
    from gidgethub.sansio import validate_event

    validate_event(body, signature=headers["x-hub-signature-256"], secret=secret)
    return True


def paddle_verifies(body: bytes, headers: Lines, secret: str) -> object:
    from paddle_billing.Notifications import Secret, Verifier

    return Verifier(300).verify(SimpleNamespace(headers=headers, body=body), Secret(secret))


def paddle_signs(body: bytes, secret: str, now: int) -> dict[str, str]:
    from paddle_billing.Notifications.PaddleSignature import PaddleSignature

    signature = PaddleSignature.calculate_hmac(secret, f"{now}:".encode() + body).hexdigest()
    return {"Paddle-Signature": f"ts={now};h1={signature}"}


def workos_verifies(body: bytes, headers: Lines, secret: str) -> object:
    from workos.webhooks._verification import verify_header

    verify_header(event_body=body, event_signature=headers["workos-signature"], secret=secret)
    return True


def razorpay_verifies(body: bytes, headers: Lines, secret: str) -> object:
    from razorpay import Utility

    return Utility().verify_webhook_signature(body.decode(), headers["x-razorpay-signature"], secret)


def mollie_verifies(body: bytes, headers: Lines, secret: str) -> object:
    from mollie.utils.webhooks.signature_validator import SignatureValidator

    return SignatureValidator.validate(body.decode(), secret, headers["x-mollie-signature"])


def mollie_signs(body: bytes, secret: str, now: int) -> dict[str, str]:
    from mollie.utils.webhooks.signature_validator import SignatureValidator

    return {"X-Mollie-Signature": f"sha256={SignatureValidator.create_signature(body.decode(), secret)}"}


@cache
def openai_webhooks() -> Any:
    from openai import OpenAI

    return OpenAI(api_key="made up").webhooks


def openai_verifies(body: bytes, headers: Lines, secret: str) -> object:
    openai_webhooks().verify_signature(body, headers, secret=secret)
    return True


def resend_verifies(body: bytes, headers: Lines, secret: str) -> object:
    from resend import Webhooks

    Webhooks.verify(
        {
            "payload": body.decode(),
            "headers": {
                "id": headers["svix-id"],
                "timestamp": headers["svix-timestamp"],
                "signature": headers["svix-signature"],
            },
            "webhook_secret": secret,
        }
    )
    return True


def polar_verifies(body: bytes, headers: Lines, secret: str) -> object:
    from polar.webhooks import PolarWebhookUnknownTypeError, validate_event

    # Who has signed is asked before what it is.
    with suppress(PolarWebhookUnknownTypeError):
        validate_event(body, headers, secret, frozenset(), lambda data: data)
    return True


@cache
def modern_treasury_webhooks() -> Any:
    from modern_treasury import ModernTreasury

    return ModernTreasury(api_key="made up", organization_id="made up").webhooks


def modern_treasury_verifies(body: bytes, headers: Lines, secret: str) -> object:
    return modern_treasury_webhooks().validate_signature(body.decode(), headers, key=secret)


def modern_treasury_signs(body: bytes, secret: str, now: int) -> dict[str, str]:
    return {"X-Signature": modern_treasury_webhooks().get_signature(body.decode(), key=secret)}


@cache
def lithic_webhooks() -> Any:
    from lithic import Lithic

    return Lithic(api_key="made up").webhooks


def lithic_verifies(body: bytes, headers: Lines, secret: str) -> object:
    lithic_webhooks().verify_signature(body, headers, secret=secret)
    return True


def gocardless_verifies(body: bytes, headers: Lines, secret: str) -> object:
    from gocardless_pro.webhooks import _verify_signature

    _verify_signature(body, secret, headers["webhook-signature"])
    return True


def pusher_verifies(body: bytes, headers: Lines, secret: str) -> object:
    from pusher.signature import verify

    return verify(secret, body.decode(), headers["x-pusher-signature"])


def pusher_signs(body: bytes, secret: str, now: int) -> dict[str, str]:
    from pusher.signature import sign

    return {"X-Pusher-Key": "a-key", "X-Pusher-Signature": sign(secret, body.decode())}


def retell_verifies(body: bytes, headers: Lines, secret: str) -> object:
    from retell.lib import webhook_auth

    untyped: Any = webhook_auth.verify
    return untyped(body.decode(), secret, headers["x-retell-signature"])


def retell_signs(body: bytes, secret: str, now: int) -> dict[str, str]:
    from retell.lib.webhook_auth import symmetric

    return {"X-Retell-Signature": symmetric["sign"](body.decode(), secret, now * 1000)}


def replicate_verifies(body: bytes, headers: Lines, secret: str) -> object:
    from replicate.webhook import Webhooks, WebhookSigningSecret

    Webhooks.validate(headers=headers, body=body.decode(), secret=WebhookSigningSecret(key=secret), tolerance=300)
    return True


def smartcar_verifies(body: bytes, headers: Lines, secret: str) -> object:
    import smartcar

    return smartcar.verify_payload(secret, headers["sc-signature"], body.decode())


def smartcar_signs(body: bytes, secret: str, now: int) -> dict[str, str]:
    import smartcar

    return {"SC-Signature": smartcar.hash_challenge(secret, body.decode())}


ANY = st.binary(max_size=200)
TEXTS = st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))
JSONS = st.dictionaries(st.text(max_size=9), st.text(max_size=9) | st.integers() | st.booleans(), max_size=4).map(
    lambda found: json.dumps(found, ensure_ascii=False).encode("utf-8", "replace")
)


class Library(NamedTuple):
    """A sender's library, and what bodies it can take: several read them as text or as JSON."""

    record: Provider
    verifies: Verify
    signs: Sign | None
    bodies: st.SearchStrategy[bytes]
    secret: str = TEXT_SECRET


LIBRARIES = [
    Library(STRIPE, stripe_verifies, stripe_signs, TEXTS),
    Library(SLACK, slack_verifies, slack_signs, TEXTS),
    Library(STANDARD_WEBHOOKS, standard_webhooks_verifies, standard_webhooks_signs, JSONS, WHSEC),
    Library(SVIX, svix_verifies, svix_signs, JSONS, WHSEC),
    Library(CLERK, svix_verifies, svix_signs, JSONS, WHSEC),
    Library(GITHUB, github_verifies, None, ANY),
    # Five seconds, as both have it, may pass here while a library is imported.
    Library(PADDLE.using(max_age=300, max_skew=300), paddle_verifies, paddle_signs, TEXTS),
    Library(WORKOS, workos_verifies, None, TEXTS),
    Library(RAZORPAY, razorpay_verifies, None, TEXTS),
    Library(MOLLIE, mollie_verifies, mollie_signs, TEXTS),
    Library(OPENAI, openai_verifies, standard_webhooks_signs, TEXTS, WHSEC),
    Library(RESEND, resend_verifies, svix_signs, JSONS, WHSEC),
    Library(POLAR, polar_verifies, None, JSONS),
    Library(MODERN_TREASURY, modern_treasury_verifies, modern_treasury_signs, TEXTS),
    Library(LITHIC, lithic_verifies, standard_webhooks_signs, JSONS, WHSEC),
    Library(GOCARDLESS, gocardless_verifies, None, ANY),
    Library(PUSHER, pusher_verifies, pusher_signs, TEXTS),
    Library(RETELL, retell_verifies, retell_signs, TEXTS),
    Library(REPLICATE, replicate_verifies, standard_webhooks_signs, JSONS, WHSEC),
    Library(SMARTCAR, smartcar_verifies, smartcar_signs, TEXTS),
]
