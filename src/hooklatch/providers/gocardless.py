"""GoCardless: HMAC-SHA256 of the raw body."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

GOCARDLESS = Provider(
    name="gocardless",
    docs="https://github.com/gocardless/gocardless-pro-python/blob/master/gocardless_pro/webhooks.py",
    evidence="sdk",
    signature=Header("webhook-signature"),
    algorithm="hmac-sha256",
    agents=("gocardless-webhook-service/*",),
    repeats="never",
    quirks="One request holds several events, each with its id; a retry repeats them all.",
)
