"""Dwolla: HMAC-SHA256 of the raw body."""

from hooklatch.fields import Header, JSONField
from hooklatch.provider import Provider

DWOLLA = Provider(
    name="dwolla",
    docs="https://developers.dwolla.com/docs/working-with-webhooks",
    evidence="sdk",
    signature=Header("x-request-signature-sha-256"),
    algorithm="hmac-sha256",
    id=JSONField("id"),
    dispatch=("x-dwolla-topic",),
    unsigned={"event_type": Header("x-dwolla-topic")},
    repeats="never",
    quirks="The topic is in the body as well: decide by that one.",
)
