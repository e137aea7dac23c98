"""Datasaur: HMAC-SHA256 of the raw body."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

DATASAUR = Provider(
    name="datasaur",
    docs="https://docs.datasaur.ai/integrations/webhook-notifications/webhook-signature",
    evidence="published",
    signature=Header("x-datasaur-signature"),
    algorithm="hmac-sha256",
    repeats="possible",
    quirks="Sends no id and no time that is signed.",
)
