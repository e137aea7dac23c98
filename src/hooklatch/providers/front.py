"""Front application webhooks: HMAC-SHA256 of ``{timestamp}:{body}``, in base64; the time is in milliseconds."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

FRONT = Provider(
    name="front",
    docs="https://dev.frontapp.com/docs/application-webhooks",
    evidence="unconfirmed",
    signature=Header("x-front-signature"),
    timestamp=Header("x-front-request-timestamp"),
    timestamp_unit="ms",
    signed="{timestamp}:{body}",
    algorithm="hmac-sha256",
    encoding="base64",
    max_age=300,
    max_skew=300,
    repeats="never",
    retries=3600,
    quirks="Five minutes are ours, and the hour of retries is assumed. Webhooks of rules are signed in another way.",
)
