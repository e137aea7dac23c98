"""Customer.io reporting webhooks: HMAC-SHA256 of ``v0:{timestamp}:{body}``."""

from hooklatch.fields import Header, JSONField
from hooklatch.provider import Provider

CUSTOMER_IO = Provider(
    name="customer_io",
    docs="https://docs.customer.io/integrations/api/webhooks/",
    evidence="unconfirmed",
    signature=Header("x-cio-signature"),
    timestamp=Header("x-cio-timestamp"),
    id=JSONField("event_id"),
    signed="v0:{timestamp}:{body}",
    algorithm="hmac-sha256",
    max_age=300,
    max_skew=300,
    repeats="never",
    retries=7 * 86_400,
    quirks="Five minutes are ours. Wants an answer within 4 seconds.",
)
