"""Knock: HMAC-SHA256 of ``{t}.{body}``; the time is in milliseconds and the digest in base64."""

from hooklatch.fields import Header, JSONField
from hooklatch.provider import Provider

KNOCK = Provider(
    name="knock",
    docs="https://docs.knock.app/developer-tools/outbound-webhooks/overview",
    evidence="unconfirmed",
    signature=Header("x-knock-signature", part="s"),
    timestamp=Header("x-knock-signature", part="t"),
    timestamp_unit="ms",
    id=JSONField("id"),
    signed="{timestamp}.{body}",
    algorithm="hmac-sha256",
    encoding="base64",
    max_age=300,
    max_skew=300,
    repeats="never",
    retries=86_400,
    quirks="Tries eight times; a day is assumed.",
)
