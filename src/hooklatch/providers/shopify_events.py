"""Shopify events, which are not its webhooks: HMAC-SHA256 of the raw body; the headers begin without ``X-``."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

SHOPIFY_EVENTS = Provider(
    name="shopify_events",
    docs="https://github.com/Shopify/shopify-app-js/blob/main/packages/apps/shopify-api/lib/webhooks/validate.ts",
    evidence="sdk",
    signature=Header("shopify-hmac-sha256"),
    algorithm="hmac-sha256",
    encoding="base64",
    dispatch=("shopify-topic", "shopify-action", "shopify-shop-domain"),
    apart=("shopify-topic", "shopify-action"),
    unsigned={
        "event_type": Header("shopify-topic"),
        "action": Header("shopify-action"),
        "delivery_id": Header("shopify-webhook-id"),
        "event_id": Header("shopify-event-id"),
        "shop": Header("shopify-shop-domain"),
        "timestamp": Header("shopify-triggered-at"),
    },
    repeats="never",
    quirks="A route of its own beside SHOPIFY: there X-Shopify-Topic decides, here Shopify-Topic, and nobody signs "
    "either. One secret signs for every shop.",
)
