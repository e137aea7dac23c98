"""Patchworks' bearer form: a random token in a header or in the URL. It proves the caller, and nothing of the body."""

from hooklatch.fields import Header, Query
from hooklatch.provider import Provider

PATCHWORKS_SIGNATURE = Provider(
    name="patchworks_signature",
    docs="https://doc.wearepatchworks.com/product-documentation/process-flows/building-process-flows/"
    "process-flow-shapes/standard-shapes/trigger-shape/trigger-shape-webhook",
    evidence="documentation",
    signature=(Header("patchworks-signature"), Query("patchworks_signature")),
    algorithm="token",
    encoding="text",
    repeats="possible",
    quirks="The token is a password in the URL: it ends up in access logs; prefer the header, or PATCHWORKS.",
)
