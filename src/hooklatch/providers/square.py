"""Square: HMAC-SHA256 of the registered URL and the body."""

from hooklatch.fields import Header, JSONField
from hooklatch.provider import Provider

SQUARE = Provider(
    name="square",
    docs="https://developer.squareup.com/docs/webhooks/step3validate",
    evidence="sdk",
    signature=Header("x-square-hmacsha256-signature"),
    id=JSONField("event_id"),
    signed="{url}{body}",
    adjacent=True,
    algorithm="hmac-sha256",
    encoding="base64",
    repeats="never",
    retries=86400,
    refusal_status=403,
    quirks="Nothing separates URL and body: where the registered URL has a query, the start of the body could move "
    "into it, which leaves a body that is no JSON. The older x-square-signature (SHA-1) is not read.",
)
