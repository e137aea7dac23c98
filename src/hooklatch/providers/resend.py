"""Resend: Svix."""

from hooklatch.providers.svix import SVIX

RESEND = SVIX.using(
    name="resend",
    docs="https://resend.com/docs/webhooks/verify-webhooks-requests",
    evidence="sdk",
    repeats="never",
    retries=28 * 3600,
    quirks="Sent by Svix: tried again over 27.6 hours. svix-id names the message and stays the same over its retries.",
)
