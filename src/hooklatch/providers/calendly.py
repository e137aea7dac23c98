"""Calendly: HMAC-SHA256 of ``{t}.{body}``, time and signature in one header."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

CALENDLY = Provider(
    name="calendly",
    docs="https://developer.calendly.com/api-docs/overview/webhooks/webhook-signatures",
    evidence="unconfirmed",
    signature=Header("calendly-webhook-signature", part="v1"),
    timestamp=Header("calendly-webhook-signature", part="t"),
    signed="{timestamp}.{body}",
    algorithm="hmac-sha256",
    max_age=180,
    max_skew=180,
    repeats="never",
    retries=86_400,
    quirks="Sends no event id, so a retry that is signed anew is a new delivery. Sends no signature where no key "
    "was set. A day of retries is assumed.",
)
