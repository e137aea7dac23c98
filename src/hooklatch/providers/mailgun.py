"""Mailgun, events: HMAC-SHA256 of a timestamp and a token, in the body that carries them."""

from hooklatch.fields import JSONField
from hooklatch.provider import Provider

MAILGUN = Provider(
    name="mailgun",
    docs="https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks",
    evidence="documentation",
    signature=JSONField("signature", "signature"),
    timestamp=JSONField("signature", "timestamp"),
    id=JSONField("signature", "token"),
    signed="{field.signature.timestamp}{field.signature.token}",
    adjacent=True,
    algorithm="hmac-sha256",
    encoding="hex",
    max_age=9 * 3600,
    repeats="never",
    retries=8 * 3600,
    max_body=1 << 16,
    quirks="The event itself is not signed: until its token is spent, a captured signature fits any body. Seen once, "
    "it is refused with another body (409). The token is the id; max_age spans Mailgun's retries, the token is "
    "remembered for as long. Answer 406 to stop retries. An account's own key does not verify parent-signature.",
)
