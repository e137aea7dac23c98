"""Google Gemini, static webhooks: Standard Webhooks."""

from hooklatch.providers.standard_webhooks import STANDARD_WEBHOOKS

GEMINI = STANDARD_WEBHOOKS.using(
    name="gemini",
    docs="https://ai.google.dev/gemini-api/docs/webhooks",
    evidence="unconfirmed",
    repeats="never",
    retries=86_400,
    quirks="Webhooks bound to one job carry a JWT instead, which this record does not read.",
)
