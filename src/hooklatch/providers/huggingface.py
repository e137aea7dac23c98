"""Hugging Face: a secret in a header or in the URL. It proves the caller, and nothing of the body."""

from hooklatch.fields import Header, Query
from hooklatch.provider import Provider

HUGGINGFACE = Provider(
    name="huggingface",
    docs="https://huggingface.co/docs/hub/webhooks",
    evidence="sdk",
    signature=(Header("x-webhook-secret"), Query("secret")),
    algorithm="token",
    encoding="text",
    repeats="possible",
    quirks="In the URL the secret ends up in access logs; prefer the header.",
)
