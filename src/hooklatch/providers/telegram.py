"""Telegram bots: a secret token in a header. It proves the caller, and nothing of the body."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

TELEGRAM = Provider(
    name="telegram",
    docs="https://core.telegram.org/bots/api#setwebhook",
    evidence="documentation",
    signature=Header("x-telegram-bot-api-secret-token"),
    algorithm="token",
    encoding="text",
    repeats="never",
    quirks="1 to 256 characters of A-Z, a-z, 0-9, _ and -. update_id in the body counts the updates, unproven.",
)
