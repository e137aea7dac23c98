"""HubSpot, version 2: SHA-256 of the client secret, method, URL and body, without HMAC."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

HUBSPOT_V2 = Provider(
    name="hubspot_v2",
    docs="https://developers.hubspot.com/docs/faq/v2-request-validation",
    evidence="sdk",
    signature=Header("x-hubspot-signature"),
    signed="{method}{url}{body}",
    adjacent=True,
    algorithm="sha256-secret-prefix",
    encoding="hex",
    methods=("POST", "GET"),
    repeats="never",
    retries=86400,
    quirks="Whoever captures a delivery can append to its body without the secret: padding that is neither UTF-8 nor "
    "JSON, and then anything (length extension). Parse strictly, or use HUBSPOT. Nothing separates URL and "
    "body. The header with the version is not believed.",
)
