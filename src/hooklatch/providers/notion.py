"""Notion: HMAC-SHA256 of the raw body with the verification token of the subscription."""

from hooklatch.fields import Header, JSONField
from hooklatch.provider import Provider

NOTION = Provider(
    name="notion",
    docs="https://developers.notion.com/reference/webhooks",
    evidence="sdk",
    signature=Header("x-notion-signature"),
    prefix="sha256=",
    algorithm="hmac-sha256",
    id=JSONField("id"),
    repeats="never",
    handshake="hook_secret field=verification_token",
    quirks="The first POST carries the verification_token, unsigned; that token is the secret from then on.",
)
