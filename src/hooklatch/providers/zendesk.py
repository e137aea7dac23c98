"""Zendesk: HMAC-SHA256 of the time and the raw body, in base64."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

ZENDESK = Provider(
    name="zendesk",
    docs="https://developer.zendesk.com/documentation/webhooks/verifying/",
    evidence="unconfirmed",
    signature=Header("x-zendesk-webhook-signature"),
    timestamp=Header("x-zendesk-webhook-signature-timestamp"),
    timestamp_unit="rfc3339",
    signed="{timestamp}{body}",
    algorithm="hmac-sha256",
    encoding="base64",
    max_age=300,
    max_skew=300,
    unsigned={"webhook_id": Header("x-zendesk-webhook-id"), "delivery_id": Header("x-zendesk-webhook-invocation-id")},
    repeats="possible",
    retries=3600,
    quirks="Five minutes are ours. The secret is used as text though it looks like base64; test webhooks share one "
    "that everybody knows, so never leave it on a live route.",
)
