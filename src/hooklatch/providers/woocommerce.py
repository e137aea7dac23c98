"""WooCommerce: HMAC-SHA256 of the raw body. The topic is a header that nobody signs."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

WOOCOMMERCE = Provider(
    name="woocommerce",
    docs="https://github.com/woocommerce/woocommerce/blob/trunk/plugins/woocommerce/includes/class-wc-webhook.php",
    evidence="sdk",
    signature=Header("x-wc-webhook-signature"),
    algorithm="hmac-sha256",
    encoding="base64",
    dispatch=("x-wc-webhook-topic", "x-wc-webhook-resource", "x-wc-webhook-event", "x-wc-webhook-source"),
    apart=("x-wc-webhook-topic",),
    unsigned={"event_type": Header("x-wc-webhook-topic"), "delivery_id": Header("x-wc-webhook-delivery-id")},
    agents=("WooCommerce/*",),
    repeats="never",
    handshake="ping form=webhook_id unsigned=yes",
    quirks="Saving a webhook sends an unsigned form with its number, which is refused here. Each delivery has its "
    "own id, the retry included. A secret with an HTML entity, as in &amp;, signs with what it stands for.",
)
