"""Goody: Svix."""

from hooklatch.providers.svix import SVIX

GOODY = SVIX.using(
    name="goody",
    docs="https://developer.ongoody.com/webhooks/webhook-security",
    evidence="documentation",
    repeats="never",
    retries=28 * 3600,
    quirks="Sent by Svix: tried again over 27.6 hours. svix-id names the message and stays the same over its retries.",
)
