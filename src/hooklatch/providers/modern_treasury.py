"""Modern Treasury: HMAC-SHA256 of the raw body with the webhook key."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

MODERN_TREASURY = Provider(
    name="modern_treasury",
    docs="https://github.com/Modern-Treasury/modern-treasury-python/blob/main/src/modern_treasury/"
    "resources/webhooks.py",
    evidence="sdk",
    signature=Header("x-signature"),
    algorithm="hmac-sha256",
    repeats="never",
    quirks="Sends no time that is signed.",
)
