"""Adyen, standard webhooks: every notification carries an HMAC-SHA256 over eight of its fields."""

from hooklatch.fields import JSONField
from hooklatch.provider import Provider

ADYEN = Provider(
    name="adyen",
    docs="https://docs.adyen.com/development-resources/webhooks/verify-hmac-signatures/",
    evidence="sdk",
    signature=JSONField("notificationItems", "0", "NotificationRequestItem", "additionalData", "hmacSignature"),
    scheme="adyen_items",
    algorithm="hmac-sha256",
    encoding="base64",
    key_encoding="hex",
    repeats="never",
    retries=30 * 86400,
    max_body=1 << 16,
    quirks="Read webhook.items: nothing else is proven, the rest of additionalData included. Each notification is "
    "known by its eight fields, in whatever batch it comes; the same one beside other unsigned values is "
    "refused with 409. Adyen repeats an event under the same eventCode and pspReference. Its own library checks "
    "the first item only.",
)
