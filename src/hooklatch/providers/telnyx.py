"""Telnyx: Ed25519 of ``{timestamp}|{body}``, base64."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

TELNYX = Provider(
    name="telnyx",
    docs="https://developers.telnyx.com/docs/messaging/messages/receiving-webhooks",
    evidence="sdk",
    signature=Header("telnyx-signature-ed25519"),
    timestamp=Header("telnyx-timestamp"),
    signed="{timestamp}|{body}",
    algorithm="ed25519",
    encoding="base64",
    max_age=300,
    max_skew=300,
    repeats="never",
    retries=86400,
    quirks="The public key stands in the portal under Keys & Credentials, as base64 of 32 bytes.",
)
