"""Chargebee: HTTP Basic. It proves the caller, and nothing of the body."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

CHARGEBEE = Provider(
    name="chargebee",
    docs="https://www.chargebee.com/docs/2.0/events_and_webhooks.html",
    evidence="sdk",
    signature=Header("authorization"),
    prefix="Basic ",
    algorithm="token",
    encoding="base64",
    repeats="never",
    quirks="The secret is user:password. The body's id names the event, unproven.",
)
