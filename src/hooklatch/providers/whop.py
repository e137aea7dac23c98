"""Whop: Standard Webhooks with the secret's text as the key, ws_ included."""

from hooklatch.providers.standard_webhooks import STANDARD_WEBHOOKS

WHOP = STANDARD_WEBHOOKS.using(
    name="whop",
    docs="https://pypi.org/project/whop-sdk/",
    evidence="sdk",
    repeats="never",
    key_encoding="utf-8",
    retries=86_400,
    quirks="Give the secret as Whop shows it: nothing is decoded. A day of retries is assumed.",
)
