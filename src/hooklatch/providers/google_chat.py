"""Google Chat: an OpenID Connect token of Google's own account, which says nothing about the body."""

from hooklatch.fields import Claim, Header
from hooklatch.provider import Provider
from hooklatch.remote_keys import Published

GOOGLE_CHAT = Provider(
    name="google_chat",
    docs="https://developers.google.com/workspace/chat/verify-requests-from-chat",
    evidence="documentation",
    signature=Header("authorization"),
    prefix="Bearer ",
    scheme="jwt",
    claims={"iss": "chat@system.gserviceaccount.com"},
    expects=("aud",),
    timestamp=Claim("iat"),
    algorithm="rsa-pkcs1v15-sha256",
    encoding="base64url",
    published=Published(
        url="https://www.googleapis.com/service_accounts/v1/jwk/chat@system.gserviceaccount.com", form="jwks"
    ),
    agents=("Google-Dynamite",),
    max_age=3600,
    repeats="normal",
    retries=0,
    quirks="For apps whose authentication audience is the project number, which expect={'aud': ...} wants; those with "
    "a URL as audience get tokens as Pub/Sub does, with email chat@system.gserviceaccount.com.",
)
