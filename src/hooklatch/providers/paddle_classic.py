"""Paddle Classic: RSA with SHA-1 of all fields of a form, as PHP serializes them."""

from hooklatch.fields import FormField
from hooklatch.provider import Provider

PADDLE_CLASSIC = Provider(
    name="paddle_classic",
    docs="https://developer.paddle.com/classic/reference/verifying-webhooks",
    evidence="documentation",
    signature=FormField("p_signature"),
    scheme="php-form",
    id=FormField("alert_id"),
    algorithm="rsa-pkcs1v15-sha1",
    encoding="base64",
    retries=3 * 86400,
    repeats="never",
    quirks="The public key stands in the vendor's settings. Paddle Billing is another sender: PADDLE.",
)
