"""Okta event hooks: a static Authorization header. It proves the caller, and nothing of the body."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

OKTA = Provider(
    name="okta",
    docs="https://developer.okta.com/docs/concepts/event-hooks/",
    evidence="unconfirmed",
    signature=Header("authorization"),
    algorithm="token",
    encoding="text",
    repeats="never",
    handshake="echo_header name=x-okta-verification-challenge answer=verification",
    quirks="The whole value is the secret, with its first word where you gave it one. The header's name can be "
    "changed: using(signature=Header('x-mine')).",
)
