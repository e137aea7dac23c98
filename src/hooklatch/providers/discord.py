"""Discord interactions: Ed25519 of ``{timestamp}{body}``, hex; the key is the application's."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

DISCORD = Provider(
    name="discord",
    docs="https://discord.com/developers/docs/interactions/overview#setting-up-an-endpoint",
    evidence="sdk",
    signature=Header("x-signature-ed25519"),
    timestamp=Header("x-signature-timestamp"),
    signed="{timestamp}{body}",
    algorithm="ed25519",
    max_age=300,
    max_skew=300,
    repeats="normal",
    retries=0,
    handshake="ping when=type:1 reply=type:1",
    quirks="The answer is content, wanted within 3 seconds and never tried again, so 300 seconds of age is our choice: "
    "Discord documents none. Discord itself sends badly signed requests and wants 401.",
)
