"""X: HMAC-SHA256 of the raw body with the app's consumer secret."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

X_TWITTER = Provider(
    name="x_twitter",
    docs="https://docs.x.com/x-api/webhooks/introduction",
    evidence="unconfirmed",
    signature=Header("x-twitter-webhooks-signature"),
    prefix="sha256=",
    algorithm="hmac-sha256",
    encoding="base64",
    repeats="never",
    handshake="crc name=crc_token answer=response_token encoding=base64 prefix=sha256=",
    quirks="The hourly challenge is answered under the same secret: never let it sign what could be a body.",
)
