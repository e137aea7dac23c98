"""Ably: HMAC-SHA256 of the raw body with the secret half of an API key."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

ABLY = Provider(
    name="ably",
    docs="https://ably.com/docs/platform/integrations/webhooks",
    evidence="unconfirmed",
    signature=Header("x-ably-signature"),
    algorithm="hmac-sha256",
    encoding="base64",
    unsigned={"key_name": Header("x-ably-key")},
    repeats="never",
    quirks="The secret is what follows the colon in the API key; X-Ably-Key names the half before it.",
)
