"""Clio Manage: HMAC-SHA256 of the raw body with the secret of the X-Hook-Secret handshake."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

CLIO = Provider(
    name="clio",
    docs="https://docs.developers.clio.com/api-reference/",
    evidence="unconfirmed",
    signature=Header("x-hook-signature"),
    algorithm="hmac-sha256",
    repeats="possible",
    quirks="The page does not say how the digest is written; deliveries are reported to carry hex. Webhooks end "
    "after 31 days at the latest.",
)
