"""Anthropic: Standard Webhooks."""

from hooklatch.providers.standard_webhooks import STANDARD_WEBHOOKS

ANTHROPIC = STANDARD_WEBHOOKS.using(
    name="anthropic",
    docs="https://github.com/anthropics/anthropic-sdk-python/blob/main/src/anthropic/resources/beta/webhooks.py",
    evidence="sdk",
    repeats="never",
    retries=86_400,
    quirks="How long it tries again was not read; a day is assumed.",
)
