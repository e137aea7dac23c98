"""Forgejo: HMAC-SHA256 of the raw body; Codeberg runs it."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

FORGEJO = Provider(
    name="forgejo",
    docs="https://forgejo.org/docs/latest/user/webhooks/",
    evidence="sdk",
    signature=Header("x-forgejo-signature"),
    algorithm="hmac-sha256",
    dispatch=("x-forgejo-event",),
    unsigned={"event_type": Header("x-forgejo-event"), "delivery_id": Header("x-forgejo-delivery")},
    repeats="never",
    quirks="Sends Gitea's, Gogs' and GitHub's headers as well. Choose application/json, as with Gitea.",
)
