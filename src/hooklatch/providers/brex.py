"""Brex: Standard Webhooks; the secret is base64 without whsec_."""

from hooklatch.providers.standard_webhooks import STANDARD_WEBHOOKS

BREX = STANDARD_WEBHOOKS.using(
    name="brex",
    docs="https://developer.brex.com/docs/webhooks/",
    evidence="unconfirmed",
    repeats="never",
    retries=86_400,
    quirks="How long it tries again was not read; a day is assumed.",
)
