"""LINE: HMAC-SHA256 of the raw body with the channel's secret."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

LINE = Provider(
    name="line",
    docs="https://developers.line.biz/en/docs/messaging-api/verify-webhook-signature/",
    evidence="sdk",
    signature=Header("x-line-signature"),
    algorithm="hmac-sha256",
    encoding="base64",
    agents=("LineBotWebhook/2.0",),
    repeats="never",
    quirks="Verifying the URL sends no events. A redelivery says so in its body, so it is signed anew; each event "
    "has a webhookEventId.",
)
