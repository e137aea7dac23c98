"""Typeform: HMAC-SHA256 of the raw body."""

from hooklatch.fields import Header, JSONField
from hooklatch.provider import Provider

TYPEFORM = Provider(
    name="typeform",
    docs="https://www.typeform.com/developers/webhooks/secure-your-webhooks/",
    evidence="unconfirmed",
    signature=Header("typeform-signature"),
    prefix="sha256=",
    algorithm="hmac-sha256",
    encoding="base64",
    id=JSONField("event_id"),
    repeats="never",
    retries=36_000,
    quirks="404 and 410 disable the webhook at once. Sends no signature where no secret was set.",
)
