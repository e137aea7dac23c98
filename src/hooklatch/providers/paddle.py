"""Paddle Billing: HMAC-SHA256 of ``{ts}:{body}``, time and signatures in one header, parted by semicolons."""

from hooklatch.fields import Header, JSONField
from hooklatch.provider import Provider

PADDLE = Provider(
    name="paddle",
    docs="https://developer.paddle.com/webhooks/signature-verification",
    evidence="sdk",
    signature=Header("paddle-signature", part="h1", many=True, separator=";"),
    timestamp=Header("paddle-signature", part="ts", separator=";"),
    id=JSONField("event_id"),
    signed="{timestamp}:{body}",
    algorithm="hmac-sha256",
    max_age=5,
    max_skew=5,
    repeats="never",
    retries=3 * 86_400,
    quirks="Five seconds are what Paddle's libraries allow; max_age= on the route gives a slow network more.",
)
