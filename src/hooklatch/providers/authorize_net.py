"""Authorize.Net: HMAC-SHA512 of the raw body; the signature key is hex and stands for its bytes."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

AUTHORIZE_NET = Provider(
    name="authorize_net",
    docs="https://developer.authorize.net/api/reference/features/webhooks.html",
    evidence="unconfirmed",
    signature=Header("x-anet-signature"),
    prefix="sha512=",
    algorithm="hmac-sha512",
    key_encoding="hex",
    repeats="never",
    quirks="Writes the digest in upper-case hex. The page speaks of the key as text; its own samples decode it.",
)
