"""Vercel: HMAC-SHA1 of the raw body. Log drains are signed alike."""

from hooklatch.fields import Header, JSONField
from hooklatch.provider import Provider

VERCEL = Provider(
    name="vercel",
    docs="https://vercel.com/docs/webhooks",
    evidence="unconfirmed",
    signature=Header("x-vercel-signature"),
    algorithm="hmac-sha1",
    id=JSONField("id"),
    refusal_status=403,
    repeats="never",
    quirks="An integration's webhooks are signed with its client secret. The probe of a new log drain is not signed.",
)
