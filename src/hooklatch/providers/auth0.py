"""Auth0 log streams: a static Authorization header. It proves the caller, and nothing of the body."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

AUTH0 = Provider(
    name="auth0",
    docs="https://auth0.com/docs/customize/log-streams/custom-log-streams",
    evidence="unconfirmed",
    signature=Header("authorization"),
    algorithm="token",
    encoding="text",
    repeats="never",
    quirks="The whole value is the secret, with its first word where you gave it one. One request holds many records.",
)
