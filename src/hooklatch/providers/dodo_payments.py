"""Dodo Payments: Standard Webhooks."""

from hooklatch.providers.standard_webhooks import STANDARD_WEBHOOKS

DODO_PAYMENTS = STANDARD_WEBHOOKS.using(
    name="dodo_payments",
    docs="https://github.com/dodopayments/dodopayments-python/blob/main/src/dodopayments/resources/webhooks/webhooks.py",
    evidence="sdk",
    repeats="never",
    retries=86_400,
    quirks="How long it tries again was not read; a day is assumed.",
)
