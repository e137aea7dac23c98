"""Flinks Pay: HMAC-SHA256 of the raw body, in upper-case hex."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

FLINKS = Provider(
    name="flinks",
    docs="https://docs.flinks.com/guides/pay/geft/webhooks/client-setup",
    evidence="documentation",
    signature=Header("x-webhook-signature"),
    prefix="sha256=",
    algorithm="hmac-sha256",
    repeats="never",
    quirks="The body says when it happened, which the receiver may check. Flinks' other webhooks are signed in base64.",
)
