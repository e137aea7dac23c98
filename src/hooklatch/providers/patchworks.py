"""Patchworks: HMAC of the raw body with SHA-256, or with RIPEMD-128 by ``using(algorithm="hmac-ripemd128")``."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

PATCHWORKS = Provider(
    name="patchworks",
    docs="https://doc.wearepatchworks.com/product-documentation/process-flows/building-process-flows/"
    "process-flow-shapes/standard-shapes/trigger-shape/trigger-shape-webhook/using-hmac-verified-webhooks",
    evidence="documentation",
    signature=Header("x-hmac-hash"),
    algorithm="hmac-sha256",
    encoding="hex",
    repeats="possible",
    quirks="The page does not say how the digest is written; hex is assumed; using(encoding='base64') is the other.",
)
