"""Wise: RSA with SHA-256 of the raw body, base64."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

WISE = Provider(
    name="wise",
    docs="https://docs.wise.com/guides/developer/webhooks/event-handling",
    evidence="published",
    signature=Header("x-signature-sha256"),
    algorithm="rsa-pkcs1v15-sha256",
    encoding="base64",
    unsigned={"delivery": Header("x-delivery-id"), "test": Header("x-test-notification")},
    retries=14 * 86400,
    repeats="never",
    quirks="The public keys, one for production and one for the sandbox, stand in the documentation. The delivery id "
    "is not signed.",
)
