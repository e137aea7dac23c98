"""Fireflies webhooks V2: HMAC-SHA256 of the raw body."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

FIREFLIES = Provider(
    name="fireflies",
    docs="https://docs.fireflies.ai/graphql-api/webhooks-v2",
    evidence="unconfirmed",
    signature=Header("x-hub-signature"),
    prefix="sha256=",
    algorithm="hmac-sha256",
    unsigned={"delivery_id": Header("x-webhook-delivery-id")},
    agents=("Fireflies-Webhook/*",),
    repeats="never",
    quirks="V1 writes the digest without its prefix. Sends no signature where no secret was set.",
)
