"""ZITADEL actions: HMAC-SHA256 of ``{t}.{body}``, one v1 signature per active key."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

ZITADEL = Provider(
    name="zitadel",
    docs="https://github.com/zitadel/zitadel/blob/main/pkg/actions/signing.go",
    evidence="sdk",
    signature=Header("zitadel-signature", part="v1", many=True),
    timestamp=Header("zitadel-signature", part="t"),
    signed="{timestamp}.{body}",
    algorithm="hmac-sha256",
    max_age=300,
    max_skew=300,
    repeats="normal",
    retries=0,
    quirks="The answer of a call target is used, so nothing is taken for a duplicate. ZITADEL's own check accepts "
    "any time in the future; we do not.",
)
