"""Vonage Messages and Dispatch: a JWT (HS256) that holds the SHA-256 of the body."""

from hooklatch.fields import Claim, Header
from hooklatch.provider import Provider

VONAGE = Provider(
    name="vonage",
    docs="https://developer.vonage.com/en/getting-started/concepts/webhooks#decoding-signed-webhooks",
    evidence="documentation",
    signature=Header("authorization"),
    prefix="Bearer ",
    scheme="jwt",
    claims={"iss": "Vonage"},
    body_claim="payload_hash",
    timestamp=Claim("iat"),
    id=Claim("jti"),
    algorithm="hmac-sha256",
    encoding="base64url",
    max_age=300,
    retries=86400,
    repeats="never",
    quirks="The secret is the signature secret of the API key. Only POST is covered: over GET the hash is of the "
    "parameters.",
)
