"""Recharge: HMAC-SHA256 of ``{t}.{body}`` with the API client secret."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

RECHARGE = Provider(
    name="recharge",
    docs="https://docs.getrecharge.com/docs/webhooks-overview",
    evidence="unconfirmed",
    signature=Header("x-recharge-webhook-signature", part="v1"),
    timestamp=Header("x-recharge-webhook-signature", part="t"),
    signed="{timestamp}.{body}",
    algorithm="hmac-sha256",
    max_age=86_400,
    max_skew=300,
    repeats="never",
    retries=48 * 3600,
    quirks="Recharge allows 48 hours, we a day. X-Recharge-Hmac-Sha256, a plain digest, is ignored. Deletes a "
    "webhook that fails for 48 hours.",
)
