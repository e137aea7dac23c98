"""PayPal: RSA of the transmission's id and time, the webhook's id, and a CRC-32 of the body."""

from hooklatch.fields import Header
from hooklatch.provider import Provider
from hooklatch.remote_keys import Published

PAYPAL = Provider(
    name="paypal",
    docs="https://developer.paypal.com/api/rest/webhooks/rest/",
    evidence="documentation",
    signature=Header("paypal-transmission-sig"),
    timestamp=Header("paypal-transmission-time"),
    timestamp_unit="rfc3339",
    id=Header("paypal-transmission-id"),
    signed="{id}|{timestamp}|{expect.webhook_id}|{body:crc32}",
    expects=("webhook_id",),
    algorithm="rsa-pkcs1v15-sha256",
    encoding="base64",
    published=Published(
        named_by=Header("paypal-cert-url"),
        allowed=r"https://api(\.sandbox)?\.paypal\.com/v1/notifications/certs/CERT-[0-9a-zA-Z-]{1,100}",
    ),
    unsigned={"algorithm": Header("paypal-auth-algo")},
    max_age=86400,
    max_skew=300,
    retries=3 * 86400,
    repeats="never",
    quirks="A CRC is no digest: whoever has one signature can make another body that fits it. Ask PayPal's API "
    "(verify-webhook-signature, or the payment itself) before money moves. Its certificate is trusted because "
    "PayPal's own host serves it over TLS.",
)
