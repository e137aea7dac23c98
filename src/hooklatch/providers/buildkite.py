"""Buildkite: HMAC-SHA256 of ``{timestamp}.{body}`` with the webhook's token, time and signature in one header."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

BUILDKITE = Provider(
    name="buildkite",
    docs="https://buildkite.com/docs/apis/webhooks/pipelines",
    evidence="published",
    signature=Header("x-buildkite-signature", part="signature"),
    timestamp=Header("x-buildkite-signature", part="timestamp"),
    signed="{timestamp}.{body}",
    algorithm="hmac-sha256",
    max_age=300,
    max_skew=300,
    dispatch=("x-buildkite-event",),
    unsigned={"event_type": Header("x-buildkite-event"), "delivery_id": Header("x-buildkite-request")},
    agents=("Buildkite-Request",),
    repeats="never",
    retries=86_400,
    quirks="Choose the signature: by default the token is sent as it is. Sends no event id that is signed. A day "
    "of retries is assumed.",
)
