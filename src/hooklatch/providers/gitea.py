"""Gitea: HMAC-SHA256 of the raw body, under headers of its own, of Gogs and of GitHub; its own one is read."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

GITEA = Provider(
    name="gitea",
    docs="https://github.com/go-gitea/gitea/blob/main/services/webhook/deliver.go",
    evidence="sdk",
    signature=Header("x-gitea-signature"),
    algorithm="hmac-sha256",
    dispatch=("x-gitea-event", "x-gitea-event-type"),
    unsigned={"event_type": Header("x-gitea-event"), "delivery_id": Header("x-gitea-delivery")},
    repeats="never",
    retries=0,
    quirks="Choose application/json: of a form it signs the JSON inside, not the body. Tries once; a redelivery by "
    "hand repeats body and id.",
)
