"""ElevenLabs: HMAC-SHA256 of ``{t}.{body}``, time and signature in one header."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

ELEVENLABS = Provider(
    name="elevenlabs",
    docs="https://elevenlabs.io/docs/eleven-api/resources/webhooks",
    evidence="sdk",
    signature=Header("elevenlabs-signature", part="v0"),
    timestamp=Header("elevenlabs-signature", part="t"),
    signed="{timestamp}.{body}",
    algorithm="hmac-sha256",
    max_age=1800,
    max_skew=300,
    repeats="never",
    retries=86_400,
    quirks="ElevenLabs' library accepts half an hour, and any time in the future; we do not. Tries again only where "
    "that was switched on; a day is assumed.",
)
