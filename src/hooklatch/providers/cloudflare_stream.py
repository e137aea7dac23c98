"""Cloudflare Stream: HMAC-SHA256 of ``{time}.{body}``, time and signature in one header."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

CLOUDFLARE_STREAM = Provider(
    name="cloudflare_stream",
    docs="https://developers.cloudflare.com/stream/manage-video-library/using-webhooks/",
    evidence="documentation",
    signature=Header("webhook-signature", part="sig1"),
    timestamp=Header("webhook-signature", part="time"),
    signed="{timestamp}.{body}",
    algorithm="hmac-sha256",
    max_age=300,
    max_skew=300,
    repeats="never",
    retries=86_400,
    quirks="The page leaves the age to the receiver; five minutes are ours, and the day of retries is assumed.",
)
