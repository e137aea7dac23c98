"""Alipay, asynchronous notifications: RSA with SHA-256 over the sorted form."""

from hooklatch.fields import FormField
from hooklatch.provider import Provider

ALIPAY = Provider(
    name="alipay",
    docs="https://opendocs.alipay.com/common/02mse7",
    evidence="unconfirmed",
    signature=FormField("sign"),
    id=FormField("notify_id"),
    scheme="sorted_pairs",
    algorithm="rsa-pkcs1v15-sha256",
    encoding="base64",
    repeats="never",
    retries=25 * 3600,
    quirks="The public key is Alipay's own, not the application's. sign_type is not believed: this is RSA2. Only forms "
    "in UTF-8 are read. Alipay wants the seven letters 'success' as the answer. Compare app_id and seller_id "
    "yourself.",
)
