"""Persona: HMAC-SHA256 of ``{t}.{body}``, time and signature in one header."""

from hooklatch.fields import Header, JSONField
from hooklatch.provider import Provider

PERSONA = Provider(
    name="persona",
    docs="https://docs.withpersona.com/webhooks-best-practices",
    evidence="unconfirmed",
    signature=Header("persona-signature", part="v1"),
    timestamp=Header("persona-signature", part="t"),
    id=JSONField("data", "id"),
    signed="{timestamp}.{body}",
    algorithm="hmac-sha256",
    max_age=300,
    max_skew=300,
    repeats="never",
    retries=86_400,
    quirks="While secrets are changed the header holds two pairs parted by a blank, and is refused: change them in "
    "one step. A day of retries is assumed.",
)
