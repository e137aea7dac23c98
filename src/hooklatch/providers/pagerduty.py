"""PagerDuty V3: HMAC-SHA256 of the raw body, one v1 signature per active secret."""

from hooklatch.fields import Header, JSONField
from hooklatch.provider import Provider

PAGERDUTY = Provider(
    name="pagerduty",
    docs="https://github.com/PagerDuty/developer-docs/blob/main/docs/webhooks/04-Signatures.md",
    evidence="published",
    signature=Header("x-pagerduty-signature", part="v1", many=True),
    algorithm="hmac-sha256",
    id=JSONField("event", "id"),
    unsigned={"webhook_id": Header("x-webhook-id")},
    agents=("PagerDuty-Webhook/V3.0",),
    refusal_status=403,
    repeats="never",
    quirks="Other versions in the list are ignored. 403 keeps PagerDuty's sender from trying a refused delivery again.",
)
