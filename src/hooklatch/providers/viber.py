"""Viber bots: HMAC-SHA256 of the raw body with the bot's token."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

VIBER = Provider(
    name="viber",
    docs="https://developers.viber.com/docs/api/rest-bot-api/",
    evidence="sdk",
    signature=Header("x-viber-content-signature"),
    algorithm="hmac-sha256",
    repeats="never",
    handshake="ping when=event:webhook unsigned=yes",
    quirks="message_token names the message and not the event: delivered and seen share it. Setting a webhook "
    "sends the event 'webhook'.",
)
