"""Commerce Layer: HMAC-SHA256 of the raw body. The topic is a header that nobody signs."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

COMMERCE_LAYER = Provider(
    name="commerce_layer",
    docs="https://docs.commercelayer.io/core/callbacks-security",
    evidence="sdk",
    signature=Header("x-commercelayer-signature"),
    algorithm="hmac-sha256",
    encoding="base64",
    dispatch=("x-commercelayer-topic",),
    apart=("x-commercelayer-topic",),
    unsigned={"event_type": Header("x-commercelayer-topic")},
    repeats="never",
    quirks="Gives up after 5 seconds and tries up to ten times. A route per topic keeps a rewritten topic from "
    "doing anything.",
)
