"""Contentful: HMAC-SHA256 of method, path, the listed headers and the body, a line each."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

CONTENTFUL = Provider(
    name="contentful",
    docs="https://www.contentful.com/developers/docs/webhooks/request-verification/",
    evidence="sdk",
    signature=Header("x-contentful-signature"),
    timestamp=Header("x-contentful-timestamp"),
    timestamp_unit="ms",
    scheme="contentful",
    algorithm="hmac-sha256",
    encoding="hex",
    max_age=30,
    refusal_status=403,
    repeats="never",
    retries=0,
    quirks="The path is signed as Contentful called it: behind a proxy that rewrites it nothing verifies. Headers that "
    "x-contentful-signed-headers does not list, the topic among them where it is absent, are nobody's word.",
)
