"""monday.com: a JWT (HS256), which says nothing about the body."""

from hooklatch.fields import Claim, Header
from hooklatch.provider import Provider

MONDAY = Provider(
    name="monday",
    docs="https://developer.monday.com/apps/docs/authorization-header",
    evidence="documentation",
    signature=Header("authorization"),
    scheme="jwt",
    expects=("aud",),
    timestamp=Claim("iat"),
    algorithm="hmac-sha256",
    encoding="base64url",
    max_age=600,
    retries=1800,
    repeats="never",
    quirks="The audience is the endpoint's URL. Board webhooks are signed with the app's signing secret, those of the "
    "app's life cycle with its client secret.",
)
