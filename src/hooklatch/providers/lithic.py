"""Lithic: Standard Webhooks, sent by Svix."""

from hooklatch.providers.standard_webhooks import STANDARD_WEBHOOKS

LITHIC = STANDARD_WEBHOOKS.using(
    name="lithic",
    docs="https://docs.lithic.com/docs/events-api",
    evidence="sdk",
    repeats="never",
    retries=28 * 3600,
    quirks="Sends the svix- headers besides, which are ignored here.",
)
