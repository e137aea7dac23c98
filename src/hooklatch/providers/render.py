"""Render: Standard Webhooks."""

from hooklatch.providers.standard_webhooks import STANDARD_WEBHOOKS

RENDER = STANDARD_WEBHOOKS.using(
    name="render",
    docs="https://render.com/docs/webhooks",
    evidence="unconfirmed",
    repeats="never",
    retries=86_400,
    quirks="How long it tries again was not read; a day is assumed.",
)
