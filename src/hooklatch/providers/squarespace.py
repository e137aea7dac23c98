"""Squarespace: HMAC-SHA256 of the raw body; the secret is hex and stands for its bytes."""

from hooklatch.fields import Header, JSONField
from hooklatch.provider import Provider

SQUARESPACE = Provider(
    name="squarespace",
    docs="https://developers.squarespace.com/commerce-apis/webhooks",
    evidence="unconfirmed",
    signature=Header("squarespace-signature"),
    algorithm="hmac-sha256",
    key_encoding="hex",
    id=JSONField("id"),
    repeats="never",
    quirks="The secret is shown once, when the subscription is made or its secret changed.",
)
