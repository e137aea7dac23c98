"""Clerk: Svix."""

from hooklatch.providers.svix import SVIX

CLERK = SVIX.using(
    name="clerk",
    docs="https://github.com/clerk/javascript/blob/main/packages/backend/src/webhooks.ts",
    evidence="sdk",
    repeats="never",
    retries=28 * 3600,
    quirks="Sent by Svix: tried again over 27.6 hours. svix-id names the message and stays the same over its retries.",
)
