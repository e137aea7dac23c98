"""Starling Bank: RSA with SHA-512 of the raw body, base64."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

STARLING = Provider(
    name="starling",
    docs="https://github.com/starlingbank/api-samples/tree/master/public-api-examples/webhook-verification",
    evidence="documentation",
    signature=Header("x-hook-signature"),
    algorithm="rsa-pkcs1v15-sha512",
    encoding="base64",
    repeats="never",
    quirks="The public key stands in the developer portal, one for each webhook.",
)
