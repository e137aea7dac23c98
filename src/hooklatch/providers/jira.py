"""Jira Cloud: HMAC-SHA256 of the raw body, as Bitbucket sends it."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

JIRA = Provider(
    name="jira",
    docs="https://developer.atlassian.com/cloud/jira/platform/webhooks/",
    evidence="published",
    signature=Header("x-hub-signature"),
    prefix="sha256=",
    algorithm="hmac-sha256",
    unsigned={"delivery_id": Header("x-atlassian-webhook-identifier")},
    repeats="never",
    quirks="Only webhooks with a secret are signed; those of Connect apps carry a JWT instead.",
)
