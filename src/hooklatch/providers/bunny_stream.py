"""Bunny Stream: HMAC-SHA256 of the raw body with the library's read-only API key."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

BUNNY_STREAM = Provider(
    name="bunny_stream",
    docs="https://docs.bunny.net/stream/webhooks",
    evidence="unconfirmed",
    signature=Header("x-bunnystream-signature"),
    algorithm="hmac-sha256",
    repeats="possible",
    quirks="The body holds the video and a status and nothing else: encoding it again sends equal ones.",
)
