"""RingCentral: a verification token in a header. It proves the caller, and nothing of the body."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

RINGCENTRAL = Provider(
    name="ringcentral",
    docs="https://developers.ringcentral.com/guide/notifications/webhooks/receiving",
    evidence="unconfirmed",
    signature=Header("verification-token"),
    algorithm="token",
    encoding="text",
    repeats="never",
    quirks="Sent only where the subscription names a verificationToken. Making one sends a Validation-Token to be "
    "returned.",
)
