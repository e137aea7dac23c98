"""Postmark, for those who keep the credentials as the header shows them: base64 of user:password."""

from hooklatch.providers.postmark import POSTMARK

POSTMARK_BASIC = POSTMARK.using(
    name="postmark_basic",
    docs="https://postmarkapp.com/developer/webhooks/webhooks-overview",
    evidence="unconfirmed",
    encoding="text",
    repeats="never",
    quirks="The secret is what stands behind Basic in the header. A 403 would end the retries.",
)
