"""Standard Webhooks 1.0.0 with a private key: Ed25519 of the same content, as ``v1a`` in the list."""

from hooklatch.fields import Header
from hooklatch.providers.standard_webhooks import STANDARD_WEBHOOKS

STANDARD_WEBHOOKS_V1A = STANDARD_WEBHOOKS.using(
    name="standard_webhooks_v1a",
    docs="https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md",
    evidence="documentation",
    signature=Header("webhook-signature", part="v1a", many=True, separator=" ", assign=","),
    algorithm="ed25519",
    key_encoding="utf-8",
    repeats="never",
    retries=76 * 3600,
    quirks="The public key is written whpk_ and base64. A list may hold v1 signatures besides, which are not looked "
    "at. The id stays the same over retries, the timestamp is that of the attempt.",
)
