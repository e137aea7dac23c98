"""Speckle servers before 2.12.0: the body is ``{"payload": "<JSON text>"}`` and only the inner text is signed.

Never on a route that newer servers use as well: a new delivery wrapped as a payload would verify here.
"""

from hooklatch.fields import Header
from hooklatch.provider import Provider

SPECKLE_BEFORE_2_12 = Provider(
    name="speckle_before_2_12",
    docs="https://speckle.community/t/warning-breaking-change-in-webhooks/4573",
    evidence="sdk",
    signature=Header("x-webhook-signature"),
    signed="{field.payload}",
    fields_in="json",
    algorithm="hmac-sha256",
    repeats="possible",
    retries=0,
    quirks="Read webhook.fields['payload']: the text inside is proven, the body around it is not.",
)
