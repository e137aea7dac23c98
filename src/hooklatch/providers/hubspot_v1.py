"""HubSpot, version 1: SHA-256 of the client secret and the body, without HMAC."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

HUBSPOT_V1 = Provider(
    name="hubspot_v1",
    docs="https://developers.hubspot.com/docs/faq/v1-request-validation",
    evidence="sdk",
    signature=Header("x-hubspot-signature"),
    signed="{body}",
    algorithm="sha256-secret-prefix",
    encoding="hex",
    repeats="never",
    retries=86400,
    quirks="Whoever captures a delivery can append to its body without the secret: padding that is neither UTF-8 nor "
    "JSON, and then anything (length extension). Parse strictly, or use HUBSPOT. What version 2 signs is a body "
    "of this version. The header with the version is not believed.",
)
