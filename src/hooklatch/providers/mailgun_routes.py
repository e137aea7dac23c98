"""Mailgun, inbound mail by routes: the signature of ``mailgun`` as fields of a form."""

from hooklatch.fields import FormField
from hooklatch.provider import Provider

MAILGUN_ROUTES = Provider(
    name="mailgun_routes",
    docs="https://documentation.mailgun.com/docs/mailgun/user-manual/receive-forward-store/receive-http",
    evidence="documentation",
    signature=FormField("signature"),
    timestamp=FormField("timestamp"),
    id=FormField("token"),
    signed="{field.timestamp}{field.token}",
    adjacent=True,
    algorithm="hmac-sha256",
    encoding="hex",
    max_age=9 * 3600,
    repeats="never",
    retries=8 * 3600,
    max_body=1 << 18,
    quirks="The mail itself is not signed: until its token is spent, a captured signature fits any body. Mail with "
    "attachments comes as multipart, which is refused: fetch it from Mailgun's store. Raise max_body for long mail.",
)
