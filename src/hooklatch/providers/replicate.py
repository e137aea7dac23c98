"""Replicate: Standard Webhooks."""

from hooklatch.providers.standard_webhooks import STANDARD_WEBHOOKS

REPLICATE = STANDARD_WEBHOOKS.using(
    name="replicate",
    docs="https://github.com/replicate/replicate-python/blob/main/replicate/webhook.py",
    evidence="sdk",
    repeats="never",
    retries=86_400,
    quirks="One secret signs all webhooks of the account. How long it tries again was not read; a day is assumed.",
)
