"""Nylas v3: HMAC-SHA256 of the raw body."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

NYLAS = Provider(
    name="nylas",
    docs="https://developer.nylas.com/docs/v3/notifications/webhooks/",
    evidence="unconfirmed",
    signature=Header("x-nylas-signature"),
    algorithm="hmac-sha256",
    repeats="never",
    retries=1200,
    quirks="Compressed notifications are signed as compressed. The body counts the attempts, so a retry has "
    "another signature.",
)
