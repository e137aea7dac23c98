"""Sanity: HMAC-SHA256 of ``{t}.{body}``; the time is in milliseconds and the digest in base64url."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

SANITY = Provider(
    name="sanity",
    docs="https://github.com/sanity-io/webhook-toolkit",
    evidence="sdk",
    signature=Header("sanity-webhook-signature", part="v1"),
    timestamp=Header("sanity-webhook-signature", part="t"),
    timestamp_unit="ms",
    signed="{timestamp}.{body}",
    algorithm="hmac-sha256",
    encoding="base64url",
    max_age=300,
    max_skew=300,
    unsigned={"delivery_id": Header("idempotency-key")},
    repeats="never",
    retries=150,
    quirks="Sanity's own toolkit checks no age; five minutes are ours. Tries twice more, 30 seconds apart.",
)
