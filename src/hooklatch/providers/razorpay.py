"""Razorpay: HMAC-SHA256 of the raw body."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

RAZORPAY = Provider(
    name="razorpay",
    docs="https://razorpay.com/docs/webhooks/validate-test/",
    evidence="sdk",
    signature=Header("x-razorpay-signature"),
    algorithm="hmac-sha256",
    unsigned={"delivery_id": Header("x-razorpay-event-id")},
    repeats="never",
    quirks="The event id stands in a header that nobody signs.",
)
