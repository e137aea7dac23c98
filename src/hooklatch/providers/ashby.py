"""Ashby: HMAC-SHA256 of the raw body."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

ASHBY = Provider(
    name="ashby",
    docs="https://developers.ashbyhq.com/docs/authenticating-webhooks",
    evidence="unconfirmed",
    signature=Header("ashby-signature"),
    prefix="sha256=",
    algorithm="hmac-sha256",
    agents=("Ashby-Webhook*",),
    repeats="possible",
    quirks="A refused ping disables the webhook until somebody enables it again.",
)
