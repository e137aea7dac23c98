"""Increase: Standard Webhooks with the secret's text as the key."""

from hooklatch.providers.standard_webhooks import STANDARD_WEBHOOKS

INCREASE = STANDARD_WEBHOOKS.using(
    name="increase",
    docs="https://github.com/Increase/increase-python/blob/main/src/increase/resources/events.py",
    evidence="sdk",
    repeats="never",
    key_encoding="utf-8",
    retries=86_400,
    quirks="The secret is one of your own choice, not base64. A day of retries is assumed.",
)
