"""Rootly: HMAC-SHA256 of the time and the raw body, time and signature in one header."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

ROOTLY = Provider(
    name="rootly",
    docs="https://docs.rootly.com/configuration/webhooks",
    evidence="documentation",
    signature=Header("x-rootly-signature", part="v1"),
    timestamp=Header("x-rootly-signature", part="t"),
    signed="{timestamp}{body}",
    algorithm="hmac-sha256",
    max_age=300,
    max_skew=300,
    repeats="never",
    retries=86_400,
    quirks="Nothing stands between the time and the body. Five minutes are ours, and the day of retries is assumed.",
)
