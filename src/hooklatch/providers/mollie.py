"""Mollie, next-gen webhooks: HMAC-SHA256 of the raw body."""

from hooklatch.fields import Header, JSONField
from hooklatch.provider import Provider

MOLLIE = Provider(
    name="mollie",
    docs="https://docs.mollie.com/reference/webhooks",
    evidence="sdk",
    signature=Header("x-mollie-signature", many=True),
    prefix="sha256=",
    algorithm="hmac-sha256",
    id=JSONField("id"),
    repeats="never",
    quirks="Two header lines for 24 hours after the secret was changed. Classic webhooks are a form with an id and "
    "no signature: fetch the payment instead.",
)
