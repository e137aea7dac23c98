"""Checkout.com: HMAC-SHA256 of the raw body."""

from hooklatch.fields import Header, JSONField
from hooklatch.provider import Provider

CHECKOUT_COM = Provider(
    name="checkout_com",
    docs="https://www.checkout.com/docs/developer-resources/webhooks",
    evidence="unconfirmed",
    signature=Header("cko-signature"),
    algorithm="hmac-sha256",
    id=JSONField("id"),
    repeats="never",
    quirks="May be configured with an Authorization header of your own choice besides.",
)
