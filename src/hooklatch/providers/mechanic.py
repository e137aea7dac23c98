"""Mechanic: a shop's page posts a form, or JSON, that carries an HMAC-SHA256 over one of its own fields.

The page's example is the record; ``MECHANIC.over(...)`` names other fields, or adds the time rounded to a minute.
"""

from hooklatch.fields import FormField, JSONField
from hooklatch.provider import Provider

MECHANIC = Provider(
    name="mechanic",
    docs="https://learn.mechanic.dev/techniques/securing-mechanic-webhooks",
    evidence="documentation",
    signature=(FormField("customer_id_signature"), JSONField("customer_id_signature")),
    signed="{field.customer_id}",
    algorithm="hmac-sha256",
    reusable=True,
    repeats="possible",
    quirks="Only the named field is proven; every other one can be edited by whoever holds the page. Without every=60 "
    "the same signature is good for ever. One secret serves one recipe: plain '7'+'28333333' is the timed '7'.",
)
