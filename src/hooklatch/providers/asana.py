"""Asana: HMAC-SHA256 of the raw body with the secret of the X-Hook-Secret handshake."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

ASANA = Provider(
    name="asana",
    docs="https://developers.asana.com/docs/webhooks-guide",
    evidence="sdk",
    signature=Header("x-hook-signature"),
    algorithm="hmac-sha256",
    repeats="possible",
    retries=86_400,
    handshake="hook_secret header=x-hook-secret",
    quirks="Sends an empty list of events as a heartbeat every 8 hours; equal ones are taken for duplicates. Sends "
    "no id and no time.",
)
