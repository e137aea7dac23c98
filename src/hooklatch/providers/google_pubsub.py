"""Google Pub/Sub push: an OpenID Connect token of a service account, which says nothing about the body."""

from hooklatch.fields import Claim, Header
from hooklatch.provider import Provider
from hooklatch.remote_keys import Published

GOOGLE_PUBSUB = Provider(
    name="google_pubsub",
    docs="https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions",
    evidence="documentation",
    signature=Header("authorization"),
    prefix="Bearer ",
    scheme="jwt",
    claims={"iss": ("https://accounts.google.com", "accounts.google.com"), "email_verified": True},
    expects=("aud", "email"),
    timestamp=Claim("iat"),
    algorithm="rsa-pkcs1v15-sha256",
    encoding="base64url",
    published=Published(url="https://www.googleapis.com/oauth2/v3/certs", form="jwks"),
    agents=("CloudPubSub-Google",),
    max_age=3600,
    retries=7 * 86400,
    repeats="never",
    quirks="expect= wants the audience (by default the endpoint's URL) and the service account's address. A token is "
    "good for an hour and for any body; message.messageId is what tells deliveries apart.",
)
