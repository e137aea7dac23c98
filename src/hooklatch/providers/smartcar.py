"""Smartcar: HMAC-SHA256 of the raw body with the application management token."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

SMARTCAR = Provider(
    name="smartcar",
    docs="https://smartcar.com/docs/integrations/webhooks/payload-verification",
    evidence="sdk",
    signature=Header("sc-signature"),
    algorithm="hmac-sha256",
    repeats="never",
    quirks="A new webhook sends VERIFY, whose challenge must be answered with its HMAC under the same token.",
)
