"""SignatureAPI: Standard Webhooks."""

from hooklatch.providers.standard_webhooks import STANDARD_WEBHOOKS

SIGNATURE_API = STANDARD_WEBHOOKS.using(
    name="signature_api",
    docs="https://signatureapi.com/docs/api/guides/how-to/verify-webhooks",
    evidence="documentation",
    repeats="never",
    retries=86_400,
    quirks="How long it tries again was not read; a day is assumed.",
)
