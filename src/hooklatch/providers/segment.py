"""Segment's webhook destination: HMAC-SHA1 of the raw body."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

SEGMENT = Provider(
    name="segment",
    docs="https://segment.com/docs/connections/destinations/catalog/webhooks/",
    evidence="unconfirmed",
    signature=Header("x-signature"),
    algorithm="hmac-sha1",
    repeats="never",
    quirks="Sends no signature where no shared secret was set.",
)
