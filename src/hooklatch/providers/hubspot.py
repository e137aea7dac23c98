"""HubSpot, version 3: HMAC-SHA256 of method, URL, body and time."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

HUBSPOT = Provider(
    name="hubspot",
    docs="https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation",
    evidence="sdk",
    signature=Header("x-hubspot-signature-v3"),
    timestamp=Header("x-hubspot-request-timestamp"),
    timestamp_unit="ms",
    signed="{method}{url:decoded}{body}{timestamp}",
    adjacent=True,
    algorithm="hmac-sha256",
    encoding="base64",
    methods=("POST", "GET"),
    max_age=300,
    repeats="never",
    retries=86400,
    quirks="A body holds a batch of events, each with an eventId of its own. Nothing separates URL and body: where the "
    "URL has a query, the start of the body could move into it, which leaves a body that is no JSON. Some escapes of "
    "the URL are undone before it is signed.",
)
