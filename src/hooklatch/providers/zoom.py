"""Zoom: HMAC-SHA256 of ``v0:{timestamp}:{body}``."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

ZOOM = Provider(
    name="zoom",
    docs="https://github.com/zoom/webhook-sample/blob/master/index.js",
    evidence="sdk",
    signature=Header("x-zm-signature"),
    prefix="v0=",
    timestamp=Header("x-zm-request-timestamp"),
    signed="v0:{timestamp}:{body}",
    algorithm="hmac-sha256",
    max_age=300,
    max_skew=300,
    repeats="never",
    retries=86_400,
    handshake="challenge_in_body when=event:endpoint.url_validation value=payload.plainToken echo=plainToken"
    " sign=encryptedToken",
    quirks="Five minutes are ours, and the day of retries is assumed. Sends no event id. Checks an endpoint with "
    "endpoint.url_validation, signed, every 72 hours.",
)
