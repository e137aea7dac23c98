"""Tally: HMAC-SHA256 of the raw body."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

TALLY = Provider(
    name="tally",
    docs="https://tally.so/help/webhooks",
    evidence="unconfirmed",
    signature=Header("tally-signature"),
    algorithm="hmac-sha256",
    encoding="base64",
    repeats="never",
    retries=113_700,
    quirks="Tries again after 5 and 30 minutes, 1, 6 and 24 hours. Sends no signature where no secret was set.",
)
