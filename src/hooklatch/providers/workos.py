"""WorkOS: HMAC-SHA256 of ``{t}.{body}``; the time is in milliseconds."""

from hooklatch.fields import Header, JSONField
from hooklatch.provider import Provider

WORKOS = Provider(
    name="workos",
    docs="https://workos.com/docs/events/data-syncing/webhooks",
    evidence="sdk",
    signature=Header("workos-signature", part="v1", separator=", "),
    timestamp=Header("workos-signature", part="t", separator=", "),
    timestamp_unit="ms",
    id=JSONField("id"),
    signed="{timestamp}.{body}",
    algorithm="hmac-sha256",
    max_age=180,
    max_skew=180,
    repeats="never",
    retries=3 * 86_400,
    quirks="A blank follows the comma in the header. How long it tries again was not read; three days are assumed.",
)
