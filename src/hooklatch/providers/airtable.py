"""Airtable: HMAC-SHA256 of the raw body; the secret is base64 and stands for its bytes."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

AIRTABLE = Provider(
    name="airtable",
    docs="https://airtable.com/developers/web/api/webhooks-overview",
    evidence="unconfirmed",
    signature=Header("x-airtable-content-mac"),
    prefix="hmac-sha256=",
    algorithm="hmac-sha256",
    key_encoding="base64",
    repeats="never",
    retries=86_400,
    quirks="The body only says that something changed and when; fetch the changes by the cursor.",
)
