"""Finch: Standard Webhooks under header names of its own; the secret is base64."""

from hooklatch.fields import Header
from hooklatch.providers.standard_webhooks import STANDARD_WEBHOOKS

FINCH = STANDARD_WEBHOOKS.using(
    name="finch",
    docs="https://github.com/Finch-API/finch-api-python/blob/main/src/finch/resources/webhooks.py",
    evidence="sdk",
    signature=Header("finch-signature", part="v1", many=True, separator=" ", assign=","),
    timestamp=Header("finch-timestamp"),
    id=Header("finch-event-id"),
    repeats="never",
    retries=86_400,
    quirks="How long it tries again was not read; a day is assumed.",
)
