"""Plivo: HMAC-SHA256 of the URL, the sorted parameters and a nonce (V3)."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

PLIVO = Provider(
    name="plivo",
    docs="https://www.plivo.com/docs/voice/concepts/signature-validation",
    evidence="sdk",
    signature=Header("x-plivo-signature-v3", many=True),
    scheme="plivo",
    algorithm="hmac-sha256",
    encoding="base64",
    fields_in="form",
    methods=("POST", "GET"),
    repeats="normal",
    max_body=1 << 16,
    quirks="The nonce is signed, but Plivo consumes the answer, so nothing is taken for a duplicate. Nothing separates "
    "the names and values of the form: read webhook.fields. The main account's own signature is "
    "x-plivo-signature-ma-v3.",
)
