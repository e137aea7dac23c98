"""Sendcloud: HMAC-SHA256 of the raw body with the integration's secret or webhook signature key."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

SENDCLOUD = Provider(
    name="sendcloud",
    docs="https://sendcloud.dev/api/v3/webhooks/index",
    evidence="published",
    signature=Header("sendcloud-signature"),
    algorithm="hmac-sha256",
    repeats="never",
    quirks="Which of the two keys signs depends on the kind of integration. The beta of event subscriptions signs "
    "nothing.",
)
