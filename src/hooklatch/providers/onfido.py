"""Onfido: HMAC-SHA256 of the raw body with the webhook's token."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

ONFIDO = Provider(
    name="onfido",
    docs="https://github.com/onfido/onfido-python/blob/master/onfido/webhook_event_verifier.py",
    evidence="sdk",
    signature=Header("x-sha2-signature"),
    algorithm="hmac-sha256",
    repeats="never",
    quirks="Sends no time and no event id that is signed.",
)
