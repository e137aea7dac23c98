"""Fireblocks webhooks v1: RSA with SHA-512 of the raw body."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

FIREBLOCKS_LEGACY = Provider(
    name="fireblocks_legacy",
    docs="https://developers.fireblocks.com/docs/webhooks-notifications",
    evidence="documentation",
    signature=Header("fireblocks-signature"),
    algorithm="rsa-pkcs1v15-sha512",
    encoding="base64",
    repeats="never",
    quirks="The public key stands in the documentation, one for production and one for the sandbox. Deprecated.",
)
