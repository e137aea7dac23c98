"""Coinbase Developer Platform (Hook0): HMAC-SHA256 of ``{t}.{body}`` in the part v0."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

COINBASE_CDP = Provider(
    name="coinbase_cdp",
    docs="https://docs.cdp.coinbase.com/api-reference/payment-apis/webhooks/verification",
    evidence="unconfirmed",
    signature=Header("x-hook0-signature", part="v0"),
    timestamp=Header("x-hook0-signature", part="t"),
    signed="{timestamp}.{body}",
    algorithm="hmac-sha256",
    max_age=300,
    max_skew=300,
    repeats="never",
    retries=86_400,
    quirks="The page now shows v1 only, which binds the headers that h names and is not read here; a delivery "
    "without v0 is refused. A day of retries is assumed.",
)
