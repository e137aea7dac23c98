"""Xero: HMAC-SHA256 of the raw body with the webhook key."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

XERO = Provider(
    name="xero",
    docs="https://developer.xero.com/documentation/guides/webhooks/configuring-your-server/",
    evidence="sdk",
    signature=Header("x-xero-signature"),
    algorithm="hmac-sha256",
    encoding="base64",
    refusal_status=401,
    repeats="never",
    handshake="ping when=events:[]",
    bare_refusals=True,
    quirks="Tests an endpoint with right and wrong signatures and wants 200 and 401, with an empty body, within 5 "
    "seconds.",
)
