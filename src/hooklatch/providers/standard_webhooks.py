"""Standard Webhooks 1.0.0: HMAC-SHA256 of ``{id}.{timestamp}.{body}``, base64, several ``v1`` signatures in a list."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

STANDARD_WEBHOOKS = Provider(
    name="standard_webhooks",
    docs="https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md",
    evidence="sdk",
    signature=Header("webhook-signature", part="v1", many=True, separator=" ", assign=","),
    timestamp=Header("webhook-timestamp"),
    id=Header("webhook-id"),
    signed="{id}.{timestamp}.{body}",
    algorithm="hmac-sha256",
    encoding="base64",
    key_encoding="whsec",
    max_age=300,
    max_skew=300,
    repeats="never",
    retries=76 * 3600,
    quirks="The id stays the same over retries, the timestamp is that of the attempt. 410 tells the sender to stop.",
)
