"""Polar: Standard Webhooks, but the secret's text is the key."""

from hooklatch.providers.standard_webhooks import STANDARD_WEBHOOKS

POLAR = STANDARD_WEBHOOKS.using(
    name="polar",
    docs="https://polar.sh/docs/integrate/webhooks/delivery",
    evidence="sdk",
    repeats="never",
    key_encoding="utf-8",
    retries=86_400,
    quirks="Polar's library tries the secret's text first and then what it means in base64, behind whsec_ or not: "
    "such a secret wants using(key_encoding='whsec'). Tries ten times; a day is assumed.",
)
