"""SHOPLINE: HMAC-SHA256 of the raw body with the app's secret. The topic is a header that nobody signs."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

SHOPLINE = Provider(
    name="shopline",
    docs="https://developer.shopline.com/docs/apps/api-instructions-for-use/generate-and-verify-signatures/",
    evidence="unconfirmed",
    signature=Header("x-shopline-hmac-sha256"),
    algorithm="hmac-sha256",
    dispatch=("x-shopline-topic", "x-shopline-shop-domain"),
    apart=("x-shopline-topic",),
    unsigned={
        "event_type": Header("x-shopline-topic"),
        "delivery_id": Header("x-shopline-webhook-id"),
        "shop": Header("x-shopline-shop-domain"),
    },
    repeats="never",
    retries=48 * 3600,
    quirks="The page shows base64; deliveries are reported to carry hex. A route per topic keeps a rewritten topic "
    "from doing anything.",
)
