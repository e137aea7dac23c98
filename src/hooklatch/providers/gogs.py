"""Gogs: HMAC-SHA256 of the raw body."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

GOGS = Provider(
    name="gogs",
    docs="https://gogs.io/docs/features/webhook",
    evidence="sdk",
    signature=Header("x-gogs-signature"),
    algorithm="hmac-sha256",
    dispatch=("x-gogs-event",),
    unsigned={"event_type": Header("x-gogs-event"), "delivery_id": Header("x-gogs-delivery")},
    repeats="never",
    quirks="Gitea and Forgejo send this header too. Choose application/json: of a form the JSON inside may be what "
    "is signed.",
)
