"""Airwallex: HMAC-SHA256 of the time in milliseconds and the raw body."""

from hooklatch.fields import Header, JSONField
from hooklatch.provider import Provider

AIRWALLEX = Provider(
    name="airwallex",
    docs="https://www.airwallex.com/docs/developer-tools/webhooks/listen-for-webhook-events",
    evidence="unconfirmed",
    signature=Header("x-signature"),
    timestamp=Header("x-timestamp"),
    timestamp_unit="ms",
    id=JSONField("id"),
    signed="{timestamp}{body}",
    algorithm="hmac-sha256",
    max_age=300,
    max_skew=300,
    repeats="never",
    retries=3 * 86_400,
    quirks="Nothing stands between the time and the body. Five minutes are ours.",
)
