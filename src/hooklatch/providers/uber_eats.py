"""Uber Eats: HMAC-SHA256 of the raw body with the app's client secret."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

UBER_EATS = Provider(
    name="uber_eats",
    docs="https://developer.uber.com/docs/eats/guides/webhooks",
    evidence="unconfirmed",
    signature=Header("x-uber-signature"),
    algorithm="hmac-sha256",
    repeats="never",
    quirks="Uber Direct signs with a key per webhook instead.",
)
