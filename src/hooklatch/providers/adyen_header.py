"""Adyen's platform webhooks: HMAC-SHA256 of the raw body in a header; the key is hex and stands for its bytes."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

ADYEN_HEADER = Provider(
    name="adyen_header",
    docs="https://docs.adyen.com/development-resources/webhooks/verify-hmac-signatures/",
    evidence="sdk",
    signature=Header("hmacsignature"),
    algorithm="hmac-sha256",
    encoding="base64",
    key_encoding="hex",
    repeats="never",
    quirks="Standard payment notifications are signed inside the body instead.",
)
