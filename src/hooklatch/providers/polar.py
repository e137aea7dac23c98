"""Polar: Standard Webhooks, but the secret's text is the key."""

from hooklatch.providers.standard_webhooks import STANDARD_WEBHOOKS

POLAR = STANDARD_WEBHOOKS.using(
    name="polar",
    docs="https://polar.sh/docs/integrate/webhooks/delivery",
    evidence="unconfirmed",
    repeats="never",
    key_encoding="utf-8",
    retries=86_400,
    quirks="Polar's libraries encode the secret in base64 before a Standard Webhooks library decodes it. Tries ten "
    "times; a day is assumed.",
)
