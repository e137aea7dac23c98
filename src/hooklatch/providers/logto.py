"""Logto: HMAC-SHA256 of the raw body."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

LOGTO = Provider(
    name="logto",
    docs="https://docs.logto.io/developers/webhooks/secure-webhooks",
    evidence="sdk",
    signature=Header("logto-signature-sha-256"),
    algorithm="hmac-sha256",
    agents=("Logto (https://logto.io/)",),
    repeats="never",
    quirks="Waits 10 seconds and tries up to three times more where the answer is 5xx.",
)
