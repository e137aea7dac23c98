"""Shopify: HMAC-SHA256 of the raw body with the app's client secret. The topic is a header that nobody signs."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

SHOPIFY = Provider(
    name="shopify",
    docs="https://github.com/Shopify/shopify-api-ruby/blob/main/lib/shopify_api/webhooks/request.rb",
    evidence="sdk",
    signature=Header("x-shopify-hmac-sha256"),
    algorithm="hmac-sha256",
    encoding="base64",
    dispatch=("x-shopify-topic", "x-shopify-shop-domain"),
    apart=("x-shopify-topic",),
    unsigned={
        "event_type": Header("x-shopify-topic"),
        "delivery_id": Header("x-shopify-webhook-id"),
        "event_id": Header("x-shopify-event-id"),
        "shop": Header("x-shopify-shop-domain"),
        "timestamp": Header("x-shopify-triggered-at"),
    },
    agents=("Shopify-Captain-Hook",),
    repeats="never",
    quirks="One secret signs for every shop: the signature proves neither the shop nor the topic. A route per "
    "topic keeps a rewritten topic from doing anything. Gives up after 5 seconds.",
)
