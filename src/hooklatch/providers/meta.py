"""Meta (Facebook, Instagram, Messenger, WhatsApp): HMAC-SHA256 of the raw body with the app's secret."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

META = Provider(
    name="meta",
    docs="https://developers.facebook.com/docs/graph-api/webhooks/getting-started",
    evidence="sdk",
    signature=Header("x-hub-signature-256"),
    prefix="sha256=",
    algorithm="hmac-sha256",
    max_body=3 << 20,
    agents=("facebookexternalua",),
    repeats="never",
    retries=36 * 3600,
    handshake="echo_query name=hub.challenge token=hub.verify_token",
    quirks="Signs the bytes it sends, with non-ASCII escaped: JSON written anew has another signature. One request "
    "may hold 1000 updates. Sends no event id. WhatsApp tries again for 7 days.",
)
