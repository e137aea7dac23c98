"""The senders' own libraries: what we sign they accept, what they sign we accept, and neither accepts another body."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hooklatch import Provider, Rejected
from hooklatch.providers import (
    CLERK,
    GITHUB,
    MOLLIE,
    PADDLE,
    RAZORPAY,
    SLACK,
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
]
some = settings(max_examples=40, deadline=None, derandomize=True)
each = pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library.record.name)


def accepted(library: Library, body: bytes, headers: Mapping[str, str]) -> bool:
    """Return whether the sender's library takes a delivery: it may raise what it likes, return False or None."""
    try:
        return library.verifies(body, Lines(headers), library.secret) is not False
    except Exception:  # noqa: BLE001 - every library has errors of its own
        return False


def altered(body: bytes) -> bytes:
    """Return *body* with a letter more, still text and still JSON where it was."""
    return body[:-1] + b' ,"x":1}' if body.endswith(b"}") else body + b"x"


@each
def test_a_library_accepts_what_we_sign_and_not_with_another_body_or_secret(library: Library) -> None:
    @some
    @given(library.bodies)
    def holds(body: bytes) -> None:
        ours = library.record.sign(body, secret=library.secret)
        assert accepted(library, ours.body, ours.headers)
        assert not accepted(library, altered(ours.body), ours.headers)
        other = library.record.sign(body, secret=library.secret[:-4] + "AAAA")
        assert not accepted(library, other.body, other.headers)

    holds()


@pytest.mark.parametrize("library", [one for one in LIBRARIES if one.signs], ids=lambda library: library.record.name)
def test_we_accept_what_a_library_signs_and_not_with_another_body(library: Library) -> None:
    chain = library.record.chain(library.secret)
    signs = library.signs
    assert signs is not None

    @some
    @given(library.bodies)
    def holds(body: bytes) -> None:
        headers = signs(body, library.secret, int(time.time()))
        assert chain.verify(headers=headers, body=body).key_index == 0
        with pytest.raises(Rejected, match="signature_mismatch"):
            chain.verify(headers=headers, body=altered(body))

    holds()


@pytest.mark.parametrize(
    "library", [one for one in LIBRARIES if one.record.max_age], ids=lambda library: library.record.name
)
def test_what_a_library_takes_for_too_old_we_do_too(library: Library) -> None:
    record = library.record
    assert record.max_age is not None
    stale = record.sign(b"{}", secret=library.secret, at=time.time() - record.max_age - 5)
    assert not accepted(library, stale.body, stale.headers)
    with pytest.raises(Rejected, match="timestamp_expired"):
        record.chain(library.secret).verify(headers=stale.headers, body=stale.body)
