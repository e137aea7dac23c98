"""Cal.com: HMAC-SHA256 of the raw body."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

CAL_COM = Provider(
    name="cal_com",
    docs="https://github.com/calcom/cal.com/blob/main/packages/features/webhooks/lib/sendPayload.ts",
    evidence="sdk",
    signature=Header("x-cal-signature-256"),
    algorithm="hmac-sha256",
    repeats="never",
    quirks="Without a secret the header says no-secret-provided, which is refused.",
)
