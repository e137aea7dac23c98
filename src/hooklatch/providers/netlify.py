"""Netlify: a JWT (HS256) that holds the SHA-256 of the body."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

NETLIFY = Provider(
    name="netlify",
    docs="https://docs.netlify.com/deploy/deploy-notifications/#payload-signature",
    evidence="documentation",
    signature=Header("x-webhook-signature"),
    scheme="jwt",
    claims={"iss": "netlify"},
    body_claim="sha256",
    algorithm="hmac-sha256",
    encoding="base64url",
    repeats="possible",
    quirks="The token says nothing about the time.",
)
