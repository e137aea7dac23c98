"""Retell AI: HMAC-SHA256 of the raw body and the time in milliseconds, with the API key."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

RETELL = Provider(
    name="retell",
    docs="https://github.com/RetellAI/retell-python-sdk/blob/main/src/retell/lib/webhook_auth.py",
    evidence="sdk",
    signature=Header("x-retell-signature", part="d"),
    timestamp=Header("x-retell-signature", part="v"),
    timestamp_unit="ms",
    signed="{body}{timestamp}",
    algorithm="hmac-sha256",
    max_age=300,
    max_skew=300,
    repeats="never",
    retries=86_400,
    quirks="The key that signs is the API key with the webhook badge. Tries three times; a day is assumed.",
)
