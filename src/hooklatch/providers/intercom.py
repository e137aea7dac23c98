"""Intercom: HMAC-SHA1 of the raw body with the app's client secret."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

INTERCOM = Provider(
    name="intercom",
    docs="https://developers.intercom.com/docs/webhooks",
    evidence="unconfirmed",
    signature=Header("x-hub-signature"),
    prefix="sha1=",
    algorithm="hmac-sha1",
    repeats="never",
    quirks="The id in the body is null in a ping, so deliveries are known by their content.",
)
