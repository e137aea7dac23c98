"""AfterShip Tracking, Returns and Warranty: HMAC-SHA256 of the raw body; the products differ in the header's name."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

AFTERSHIP = Provider(
    name="aftership",
    docs="https://www.aftership.com/docs/tracking/webhook/webhook-signature",
    evidence="unconfirmed",
    signature=(Header("aftership-hmac-sha256"), Header("as-signature-hmac-sha256")),
    algorithm="hmac-sha256",
    encoding="base64",
    repeats="never",
    quirks="Each product has a secret of its own. Shipping uses another header, am-webhook-signature, behind "
    "hmac-sha256=.",
)
