"""Webflow: HMAC-SHA256 of ``{timestamp}:{body}`` with the app's client secret; the time is in milliseconds."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

WEBFLOW = Provider(
    name="webflow",
    docs="https://developers.webflow.com/data/v1.0.0/docs/verifying-webhook-signatures",
    evidence="sdk",
    signature=Header("x-webflow-signature"),
    timestamp=Header("x-webflow-timestamp"),
    timestamp_unit="ms",
    signed="{timestamp}:{body}",
    algorithm="hmac-sha256",
    max_age=300,
    max_skew=300,
    repeats="never",
    retries=3600,
    quirks="Only webhooks that an OAuth app made are signed. An hour of retries is assumed.",
)
