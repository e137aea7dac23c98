"""Cursor cloud agents: HMAC-SHA256 of the raw body."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

CURSOR = Provider(
    name="cursor",
    docs="https://docs.cursor.com/account/cloud-agent-webhooks",
    evidence="unconfirmed",
    signature=Header("x-webhook-signature"),
    prefix="sha256=",
    algorithm="hmac-sha256",
    repeats="never",
    quirks="Sends one event, the change of an agent's status.",
)
