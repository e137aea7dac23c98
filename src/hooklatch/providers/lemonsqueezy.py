"""Lemon Squeezy: HMAC-SHA256 of the raw body."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

LEMONSQUEEZY = Provider(
    name="lemonsqueezy",
    docs="https://docs.lemonsqueezy.com/help/webhooks/signing-requests",
    evidence="sdk",
    signature=Header("x-signature"),
    algorithm="hmac-sha256",
    dispatch=("x-event-name",),
    unsigned={"event_type": Header("x-event-name")},
    repeats="never",
    quirks="The event's name is in the body as well (meta.event_name): decide by that one.",
)
