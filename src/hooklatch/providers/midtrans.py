"""Midtrans: SHA-512 of three fields and the server key, without HMAC."""

from hooklatch.fields import JSONField
from hooklatch.provider import Provider

MIDTRANS = Provider(
    name="midtrans",
    docs="https://docs.midtrans.com/reference/receiving-notifications",
    evidence="documentation",
    signature=JSONField("signature_key"),
    signed="{field.order_id}{field.status_code}{field.gross_amount}",
    adjacent=True,
    algorithm="sha512-secret-suffix",
    encoding="hex",
    reusable=True,
    repeats="possible",
    quirks="transaction_status and fraud_status are not signed: ask Midtrans's status API before money moves. A "
    "capture and a settlement of one order carry the same signature, so it stays good for any body that keeps "
    "the three fields.",
)
