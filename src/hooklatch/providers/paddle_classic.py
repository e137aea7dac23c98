"""Paddle Classic: RSA with SHA-1 over the form as PHP serialises it."""

from hooklatch.fields import FormField
from hooklatch.provider import Provider

PADDLE_CLASSIC = Provider(
    name="paddle_classic",
    docs="https://developer.paddle.com/classic/reference/verifying-webhooks",
    evidence="documentation",
    signature=FormField("p_signature"),
    id=FormField("alert_id"),
    scheme="php_serialized",
    algorithm="rsa-pkcs1v15-sha1",
    encoding="base64",
    repeats="never",
    retries=3 * 86400,
    quirks="The public key is the vendor's, from Paddle's dashboard. Nested fields cannot be read and are refused.",
)
