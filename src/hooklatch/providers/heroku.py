"""Heroku: HMAC-SHA256 of the raw body."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

HEROKU = Provider(
    name="heroku",
    docs="https://devcenter.heroku.com/articles/app-webhooks",
    evidence="unconfirmed",
    signature=Header("heroku-webhook-hmac-sha256"),
    algorithm="hmac-sha256",
    encoding="base64",
    repeats="never",
    quirks="May be configured with an Authorization header of your own choice besides.",
)
