"""Supabase auth hooks: Standard Webhooks; the secret begins with v1,whsec_."""

from hooklatch.providers.standard_webhooks import STANDARD_WEBHOOKS

SUPABASE = STANDARD_WEBHOOKS.using(
    name="supabase",
    docs="https://supabase.com/docs/guides/auth/auth-hooks",
    evidence="documentation",
    repeats="normal",
    retries=0,
    quirks="The answer decides whether somebody signs in, so nothing is taken for a duplicate. Paste the secret "
    "whole; several stand in a list, newest first.",
)
