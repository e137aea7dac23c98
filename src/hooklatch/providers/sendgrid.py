"""SendGrid's event webhook: ECDSA on P-256 of ``{timestamp}{body}``, DER in base64."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

SENDGRID = Provider(
    name="sendgrid",
    docs="https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/"
    "getting-started-event-webhook-security-features",
    evidence="published",
    signature=Header("x-twilio-email-event-webhook-signature"),
    timestamp=Header("x-twilio-email-event-webhook-timestamp"),
    signed="{timestamp}{body}",
    algorithm="ecdsa-p256-sha256",
    encoding="base64",
    max_age=300,
    max_skew=300,
    retries=24 * 3600,
    repeats="never",
    quirks="The body is an array of events and ends in CRLF, which is signed. SendGrid documents no age.",
)
