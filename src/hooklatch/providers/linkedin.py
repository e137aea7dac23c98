"""LinkedIn: HMAC-SHA256 of ``hmacsha256=`` and the raw body, with the app's client secret."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

LINKEDIN = Provider(
    name="linkedin",
    docs="https://learn.microsoft.com/en-us/linkedin/shared/api-guide/webhook-validation",
    evidence="unconfirmed",
    signature=Header("x-li-signature"),
    signed="hmacsha256={body}",
    algorithm="hmac-sha256",
    repeats="never",
    retries=8 * 3600,
    handshake="crc name=challengeCode echo=challengeCode answer=challengeResponse",
    quirks="The word before the body is signed and not sent. Validates an endpoint every two hours by a challenge "
    "under the same secret.",
)
