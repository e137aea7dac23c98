"""Paystack: HMAC-SHA512 of the raw body with the account's secret key."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

PAYSTACK = Provider(
    name="paystack",
    docs="https://paystack.com/docs/payments/webhooks/",
    evidence="sdk",
    signature=Header("x-paystack-signature"),
    algorithm="hmac-sha512",
    repeats="never",
    retries=72 * 3600,
    quirks="The key that signs is the API's own secret key: keep it from other uses of the route's configuration.",
)
