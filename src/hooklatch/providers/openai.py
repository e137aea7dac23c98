"""OpenAI: Standard Webhooks."""

from hooklatch.providers.standard_webhooks import STANDARD_WEBHOOKS

OPENAI = STANDARD_WEBHOOKS.using(
    name="openai",
    docs="https://github.com/openai/openai-python/blob/main/src/openai/resources/webhooks.py",
    evidence="sdk",
    repeats="never",
    retries=72 * 3600,
    quirks="webhook-id stays the same over the retries. OpenAI's library uses a secret without whsec_ as text, which "
    "this record does not do.",
)
