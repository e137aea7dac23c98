"""Momento topics: HMAC-SHA3-256 of the raw body, with the time of publication inside it."""

from hooklatch.fields import Header, JSONField
from hooklatch.provider import Provider

MOMENTO = Provider(
    name="momento",
    docs="https://docs.momentohq.com/topics/webhooks/security",
    evidence="sdk",
    signature=Header("momento-signature"),
    algorithm="hmac-sha3-256",
    timestamp=JSONField("publish_timestamp"),
    timestamp_unit="ms",
    max_age=60,
    max_skew=60,
    refusal_status=403,
    agents=("Momento/1.0 (Webhooks; +https://docs.momentohq.com/topics/webhooks)", "Momento/*"),
    repeats="never",
    retries=0,
    quirks="Tries once, within 5 seconds; sends no event id. Momento withdrew webhooks in April 2025.",
)
