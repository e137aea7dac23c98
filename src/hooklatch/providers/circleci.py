"""CircleCI: HMAC-SHA256 of the raw body, in the part v1 of the header."""

from hooklatch.fields import Header, JSONField
from hooklatch.provider import Provider

CIRCLECI = Provider(
    name="circleci",
    docs="https://circleci.com/docs/guides/integration/outbound-webhooks/",
    evidence="published",
    signature=Header("circleci-signature", part="v1"),
    algorithm="hmac-sha256",
    id=JSONField("id"),
    dispatch=("circleci-event-type",),
    unsigned={"event_type": Header("circleci-event-type")},
    repeats="never",
    quirks="The other parts of the header are versions to come.",
)
