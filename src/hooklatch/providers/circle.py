"""Circle: ECDSA on P-256 of the raw body, base64."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

CIRCLE = Provider(
    name="circle",
    docs="https://developers.circle.com/wallets/webhook-notifications",
    evidence="documentation",
    signature=Header("x-circle-signature"),
    key_id=Header("x-circle-key-id"),
    algorithm="ecdsa-p256-sha256",
    encoding="base64",
    repeats="never",
    retries=86400,
    quirks="The key of an id comes from /v2/notifications/publicKey/{id}, for which one needs an API key: give it as "
    "public_keys=, or a callable of the id.",
)
