"""Linear: HMAC-SHA256 of the raw body, with the time of sending inside it."""

from hooklatch.fields import Header, JSONField
from hooklatch.provider import Provider

LINEAR = Provider(
    name="linear",
    docs="https://github.com/linear/linear/blob/master/packages/sdk/src/webhooks/client.ts",
    evidence="sdk",
    signature=Header("linear-signature"),
    algorithm="hmac-sha256",
    timestamp=JSONField("webhookTimestamp"),
    timestamp_unit="ms",
    max_age=60,
    max_skew=60,
    dispatch=("linear-event",),
    unsigned={"event_type": Header("linear-event"), "delivery_id": Header("linear-delivery")},
    agents=("Linear-Webhook",),
    repeats="never",
    retries=25_260,
    quirks="Tries again after a minute, an hour and six hours. Linear-Timestamp is not signed; the time that counts "
    "is in the body, as for Linear's own client.",
)
