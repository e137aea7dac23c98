"""Alchemy Notify: HMAC-SHA256 of the raw body with the webhook's signing key."""

from hooklatch.fields import Header, JSONField
from hooklatch.provider import Provider

ALCHEMY = Provider(
    name="alchemy",
    docs="https://www.alchemy.com/docs/reference/notify-api-quickstart",
    evidence="sdk",
    signature=Header("x-alchemy-signature"),
    algorithm="hmac-sha256",
    id=JSONField("id"),
    repeats="never",
    retries=3600,
    quirks="The signing key may begin with whsec_ and is used as text all the same.",
)
