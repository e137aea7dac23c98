"""Postmark: HTTP Basic. It proves the caller, and nothing of the body."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

POSTMARK = Provider(
    name="postmark",
    docs="https://postmarkapp.com/developer/webhooks/webhooks-overview",
    evidence="unconfirmed",
    signature=Header("authorization"),
    prefix="Basic ",
    algorithm="token",
    encoding="base64",
    repeats="never",
    quirks="The secret is user:password, as it stands in the webhook's URL. A 403 would end the retries.",
)
