"""Dropbox: HMAC-SHA256 of the raw body with the app's secret."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

DROPBOX = Provider(
    name="dropbox",
    docs="https://www.dropbox.com/developers/reference/webhooks",
    evidence="sdk",
    signature=Header("x-dropbox-signature"),
    algorithm="hmac-sha256",
    refusal_status=403,
    agents=("DropboxWebhooks/1.0",),
    repeats="normal",
    handshake="echo_query name=challenge",
    quirks="The body only lists accounts, so two changes look alike and both must run. Whoever captures one can "
    "send it again: make the work idempotent.",
)
