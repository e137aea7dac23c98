"""Bitbucket Cloud: HMAC-SHA256 of the raw body. The header has the name of GitHub's old SHA-1 one."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

BITBUCKET = Provider(
    name="bitbucket",
    docs="https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks/",
    evidence="published",
    signature=Header("x-hub-signature"),
    prefix="sha256=",
    algorithm="hmac-sha256",
    dispatch=("x-event-key",),
    unsigned={"event_type": Header("x-event-key"), "delivery_id": Header("x-request-uuid")},
    agents=("Bitbucket-Webhooks/*",),
    repeats="never",
    quirks="Sends no signature where no secret was set. X-Hook-UUID names the webhook and not the delivery.",
)
