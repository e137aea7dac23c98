"""Revolut: HMAC-SHA256 of ``v1.{timestamp}.{body}``, several signatures while secrets are changed; the time is in
milliseconds.
"""

from hooklatch.fields import Header
from hooklatch.provider import Provider

REVOLUT = Provider(
    name="revolut",
    docs="https://developer.revolut.com/docs/guides/merchant/monitor-and-observe/webhooks/verify-the-payload-signature",
    evidence="sdk",
    signature=Header("revolut-signature", part="v1", many=True),
    timestamp=Header("revolut-request-timestamp"),
    timestamp_unit="ms",
    signed="v1.{timestamp}.{body}",
    algorithm="hmac-sha256",
    max_age=300,
    max_skew=300,
    repeats="never",
    retries=1800,
    quirks="Tries three times more, ten minutes apart. Sends no event id.",
)
