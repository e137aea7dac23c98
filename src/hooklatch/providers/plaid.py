"""Plaid: a JWT (ES256) that holds the SHA-256 of the body."""

from hooklatch.fields import Claim, Header
from hooklatch.provider import Provider

PLAID = Provider(
    name="plaid",
    docs="https://plaid.com/docs/api/webhooks/webhook-verification/",
    evidence="documentation",
    signature=Header("plaid-verification"),
    scheme="jwt",
    body_claim="request_body_sha256",
    timestamp=Claim("iat"),
    algorithm="ecdsa-p256-sha256-p1363",
    encoding="base64url",
    max_age=300,
    retries=86400,
    repeats="never",
    quirks="The key of an id comes from /webhook_verification_key/get, for which one needs client_id and secret: give "
    "public_keys= a callable of the id that asks there and returns the JSON Web Key.",
)
