"""FastSpring: HMAC-SHA256 of the raw body."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

FASTSPRING = Provider(
    name="fastspring",
    docs="https://developer.fastspring.com/reference/message-security",
    evidence="unconfirmed",
    signature=Header("x-fs-signature"),
    algorithm="hmac-sha256",
    encoding="base64",
    repeats="never",
    quirks="One request holds several events, each with its id. Sends no signature where no secret was set.",
)
