"""Stream (GetStream): HMAC-SHA256 of the body with the app's API secret."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

GETSTREAM = Provider(
    name="getstream",
    docs="https://getstream.io/chat/docs/php/webhooks_overview/",
    evidence="sdk",
    signature=Header("x-signature"),
    algorithm="hmac-sha256",
    unsigned={"delivery_id": Header("x-webhook-id"), "attempt": Header("x-webhook-attempt")},
    repeats="never",
    quirks="Signs the body before it is compressed: leave compression off, a gzipped delivery is refused. The key that "
    "signs is the API's own secret.",
)
