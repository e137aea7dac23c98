"""Pipedrive: HTTP Basic. It proves the caller, and nothing of the body."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

PIPEDRIVE = Provider(
    name="pipedrive",
    docs="https://pipedrive.readme.io/docs/guide-for-webhooks-v2",
    evidence="unconfirmed",
    signature=Header("authorization"),
    prefix="Basic ",
    algorithm="token",
    encoding="base64",
    repeats="never",
    retries=183,
    quirks="The secret is user:password. Tries again after 3, 30 and 150 seconds.",
)
