"""Mailchimp Marketing: a secret in the URL. It proves the caller, and nothing of the body."""

from hooklatch.fields import Query
from hooklatch.provider import Provider

MAILCHIMP = Provider(
    name="mailchimp",
    docs="https://mailchimp.com/developer/marketing/guides/sync-audience-data-webhooks/",
    evidence="unconfirmed",
    signature=Query("secret"),
    algorithm="token",
    encoding="text",
    repeats="possible",
    handshake="probe method=GET",
    quirks="The parameter's name is yours: using(signature=Query('key')). It ends up in access logs. The URL is "
    "probed by GET.",
)
