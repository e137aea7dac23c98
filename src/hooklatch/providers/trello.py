"""Trello: HMAC-SHA1 of the body and the callback URL behind it."""

from hooklatch.fields import Header, JSONField
from hooklatch.provider import Provider

TRELLO = Provider(
    name="trello",
    docs="https://developer.atlassian.com/cloud/trello/guides/rest-api/webhooks/#webhook-signatures",
    evidence="documentation",
    signature=Header("x-trello-webhook"),
    id=JSONField("action", "id"),
    signed="{body}{url}",
    adjacent=True,
    algorithm="hmac-sha1",
    encoding="base64",
    repeats="never",
    retries=210,
    handshake="probe method=HEAD",
    quirks="The secret is the application's OAuth secret. Nothing separates body and URL: a body that quotes the URL "
    "and a query could be cut there, which leaves a body that is no JSON. The probe is an unsigned HEAD.",
)
