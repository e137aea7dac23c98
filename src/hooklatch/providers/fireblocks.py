"""Fireblocks webhooks v2: a detached JSON Web Signature (RS512) of the body."""

from hooklatch.fields import Header
from hooklatch.provider import Provider
from hooklatch.remote_keys import Published

FIREBLOCKS = Provider(
    name="fireblocks",
    docs="https://developers.fireblocks.com/reference/validating-webhooks",
    evidence="documentation",
    signature=Header("fireblocks-webhook-signature"),
    scheme="detached_jws",
    algorithm="rsa-pkcs1v15-sha512",
    encoding="base64url",
    published=Published(url="https://keys.fireblocks.io/.well-known/jwks.json", form="jwks"),
    repeats="never",
    retries=86400,
    quirks="Workspaces elsewhere have other keys: https://eu-keys.fireblocks.io, eu2-keys and sandbox-keys, each with "
    "/.well-known/jwks.json; say using(published=Published(url=..., form='jwks')).",
)
