"""Bird (MessageBird): HMAC-SHA256 of time, URL and the digest of the body, a line each."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

BIRD = Provider(
    name="bird",
    docs="https://docs.bird.com/api/notifications-api/api-reference/webhook-subscriptions/"
    "verifying-a-webhook-subscription",
    evidence="documentation",
    signature=Header("messagebird-signature"),
    timestamp=Header("messagebird-request-timestamp"),
    signed="{timestamp}\n{url}\n{body:sha256:raw}",
    algorithm="hmac-sha256",
    encoding="base64",
    max_age=300,
    unsigned={"request_id": Header("messagebird-request-id")},
    repeats="never",
    retries=0,
    quirks="The page names no tolerance; 300 seconds are assumed. MessageBird's older JWT signature is another one.",
)
