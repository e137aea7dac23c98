"""Mux: HMAC-SHA256 of ``{t}.{body}``, time and signature in one header."""

from hooklatch.fields import Header, JSONField
from hooklatch.provider import Provider

MUX = Provider(
    name="mux",
    docs="https://mux.com/docs/core/verify-webhook-signatures",
    evidence="sdk",
    signature=Header("mux-signature", part="v1", many=True),
    timestamp=Header("mux-signature", part="t"),
    id=JSONField("id"),
    signed="{timestamp}.{body}",
    algorithm="hmac-sha256",
    max_age=300,
    max_skew=300,
    repeats="never",
    retries=86_400,
    quirks="The id in the body is the event's. A day of retries is assumed.",
)
