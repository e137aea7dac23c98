"""Stripe: HMAC-SHA256 of ``{t}.{body}``, time and signatures in one header. The ``whsec_`` secret is used as text."""

from hooklatch.fields import Header, JSONField
from hooklatch.provider import Provider

STRIPE = Provider(
    name="stripe",
    docs="https://docs.stripe.com/webhooks#verify-manually",
    evidence="sdk",
    signature=Header("stripe-signature", part="v1", many=True),
    timestamp=Header("stripe-signature", part="t"),
    id=JSONField("id"),
    signed="{timestamp}.{body}",
    algorithm="hmac-sha256",
    max_age=300,
    max_skew=300,
    agents=("Stripe/1.0 (+https://stripe.com/docs/webhooks)", "Stripe/*"),
    repeats="never",
    retries=3 * 86400,
    quirks="Retries are signed anew, with a new time. Stripe's own library accepts any time in the future; we do not.",
)
