"""Box: HMAC-SHA256 of the raw body and the time, in base64; two keys, two headers."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

BOX = Provider(
    name="box",
    docs="https://developer.box.com/guides/webhooks/v2/signatures-v2/",
    evidence="sdk",
    signature=(Header("box-signature-primary"), Header("box-signature-secondary")),
    timestamp=Header("box-delivery-timestamp"),
    timestamp_unit="rfc3339",
    signed="{body}{timestamp}",
    algorithm="hmac-sha256",
    encoding="base64",
    max_age=600,
    unsigned={"delivery_id": Header("box-delivery-id")},
    repeats="never",
    retries=2 * 3600,
    quirks="Give both keys, primary first. BOX-SIGNATURE-VERSION and -ALGORITHM are not signed and not read: other "
    "versions fail by their signature. How long it tries again was not read; two hours are assumed.",
)
