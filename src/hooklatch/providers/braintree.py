"""Braintree: HMAC-SHA1 of the payload as it stands in the form, under the SHA-1 of the private key."""

from hooklatch.fields import FormField
from hooklatch.provider import Provider

BRAINTREE = Provider(
    name="braintree",
    docs="https://developer.paypal.com/braintree/docs/guides/webhooks/parse/python",
    evidence="sdk",
    signature=FormField("bt_signature"),
    scheme="braintree",
    expects=("public_key",),
    algorithm="hmac-sha1",
    encoding="hex",
    key_encoding="sha1",
    max_body=1 << 16,
    repeats="never",
    retries=86400,
    handshake="crc name=bt_challenge grammar=hex behind=public_key",
    quirks="expect={'public_key': ...} says which of the signatures is ours. The notification is XML in base64, with a "
    "timestamp inside, in webhook.fields['bt_payload']; read it there. The challenge by GET is not answered here.",
)
