"""GitHub: HMAC-SHA256 of the raw body. The event's type and the delivery's id are headers that nobody signs."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

GITHUB = Provider(
    name="github",
    docs="https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries",
    evidence="published",
    signature=Header("x-hub-signature-256"),
    prefix="sha256=",
    algorithm="hmac-sha256",
    dispatch=("x-github-event",),
    unsigned={"event_type": Header("x-github-event"), "delivery_id": Header("x-github-delivery")},
    agents=("GitHub-Hookshot/*",),
    max_body=25 << 20,
    repeats="never",
    retries=0,
    quirks="Gives up after 10 seconds and never redelivers by itself; a redelivery by hand repeats body and id. "
    "The older X-Hub-Signature (SHA-1) is ignored.",
)
