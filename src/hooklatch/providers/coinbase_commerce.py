"""Coinbase Commerce: HMAC-SHA256 of the raw body."""

from hooklatch.fields import Header, JSONField
from hooklatch.provider import Provider

COINBASE_COMMERCE = Provider(
    name="coinbase_commerce",
    docs="https://github.com/coinbase/coinbase-commerce-python",
    evidence="sdk",
    signature=Header("x-cc-webhook-signature"),
    algorithm="hmac-sha256",
    id=JSONField("event", "id"),
    repeats="never",
    quirks="The body counts the attempts, so a retry is signed anew; the event's id stays.",
)
