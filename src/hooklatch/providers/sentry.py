"""Sentry: HMAC-SHA256 of the raw body with the integration's client secret."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

SENTRY = Provider(
    name="sentry",
    docs="https://docs.sentry.io/integrations/integration-platform/webhooks/",
    evidence="sdk",
    signature=Header("sentry-hook-signature"),
    algorithm="hmac-sha256",
    dispatch=("sentry-hook-resource",),
    unsigned={
        "event_type": Header("sentry-hook-resource"),
        "delivery_id": Header("request-id"),
        "timestamp": Header("sentry-hook-timestamp"),
    },
    repeats="never",
    quirks="Sentry-Hook-Timestamp is not signed. Wants an answer within a second.",
)
