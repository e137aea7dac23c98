"""TikTok for Developers: HMAC-SHA256 of ``{t}.{body}`` with the app's client secret."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

TIKTOK = Provider(
    name="tiktok",
    docs="https://developers.tiktok.com/doc/webhooks-verification",
    evidence="unconfirmed",
    signature=Header("tiktok-signature", part="s"),
    timestamp=Header("tiktok-signature", part="t"),
    signed="{timestamp}.{body}",
    algorithm="hmac-sha256",
    max_age=300,
    max_skew=300,
    repeats="never",
    retries=72 * 3600,
    quirks="Five minutes are ours. Sends no event id. TikTok Shop signs in another way.",
)
