"""Outline: HMAC-SHA256 of ``{t}.{body}``; the time is in milliseconds."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

OUTLINE = Provider(
    name="outline",
    docs="https://github.com/outline/outline/blob/main/server/models/WebhookSubscription.ts",
    evidence="sdk",
    signature=Header("outline-signature", part="s"),
    timestamp=Header("outline-signature", part="t"),
    timestamp_unit="ms",
    signed="{timestamp}.{body}",
    algorithm="hmac-sha256",
    max_age=300,
    max_skew=300,
    repeats="never",
    retries=86_400,
    quirks="Five minutes are ours, and the day of retries is assumed. Sends no signature where no secret was set.",
)
