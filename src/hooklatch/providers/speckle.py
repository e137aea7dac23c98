"""Speckle: HMAC-SHA256 of the raw body, as servers send it since 2.12.0."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

SPECKLE = Provider(
    name="speckle",
    docs="https://docs.speckle.systems/developers/api/webhooks/security",
    evidence="sdk",
    signature=Header("x-webhook-signature"),
    algorithm="hmac-sha256",
    repeats="possible",
    retries=0,
    quirks="Tries once, within 10 seconds; only 200, 201, 202 and 204 count as success. Sends no event id and no time. "
    "Signs with the empty key where no secret was set: set one.",
)
