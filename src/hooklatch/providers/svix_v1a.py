"""Svix with a private key: Standard Webhooks ``v1a`` under the ``svix-`` stem."""

from hooklatch.fields import Header
from hooklatch.providers.svix import SVIX

SVIX_V1A = SVIX.using(
    name="svix_v1a",
    docs="https://docs.svix.com/receiving/verifying-payloads/how-manual",
    evidence="documentation",
    signature=Header("svix-signature", part="v1a", many=True, separator=" ", assign=","),
    algorithm="ed25519",
    key_encoding="utf-8",
    repeats="never",
    retries=28 * 3600,
    quirks="The public key is written whpk_ and base64; asymmetric signatures are switched on by Svix for a sender.",
)
