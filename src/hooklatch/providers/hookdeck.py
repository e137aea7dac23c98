"""Hookdeck Event Gateway: HMAC-SHA256 of the raw body it forwards."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

HOOKDECK = Provider(
    name="hookdeck",
    docs="https://hookdeck.com/docs/verification",
    evidence="sdk",
    signature=(Header("x-hookdeck-signature"), Header("x-hookdeck-signature-2")),
    algorithm="hmac-sha256",
    encoding="base64",
    repeats="never",
    quirks="Proves that Hookdeck forwarded it; whether the source was checked is configured there. A second header "
    "while secrets are changed.",
)
