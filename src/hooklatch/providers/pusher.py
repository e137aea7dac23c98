"""Pusher Channels: HMAC-SHA256 of the raw body with the app's secret."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

PUSHER = Provider(
    name="pusher",
    docs="https://pusher.com/docs/channels/server_api/webhooks/",
    evidence="sdk",
    signature=Header("x-pusher-signature"),
    algorithm="hmac-sha256",
    unsigned={"app_key": Header("x-pusher-key")},
    repeats="never",
    quirks="X-Pusher-Key names the app whose secret signs; with one app per route it says nothing new.",
)
