"""Courier: HMAC-SHA256 of ``{t}.{body}``; the time is in milliseconds."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

COURIER = Provider(
    name="courier",
    docs="https://www.courier.com/docs/platform/workspaces/outbound-webhooks",
    evidence="unconfirmed",
    signature=Header("courier-signature", part="signature"),
    timestamp=Header("courier-signature", part="t"),
    timestamp_unit="ms",
    signed="{timestamp}.{body}",
    algorithm="hmac-sha256",
    max_age=300,
    max_skew=300,
    repeats="never",
    retries=86_400,
    quirks="Five minutes are ours, and the day of retries is assumed.",
)
