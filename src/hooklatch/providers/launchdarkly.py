"""LaunchDarkly: HMAC-SHA256 of the raw body."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

LAUNCHDARKLY = Provider(
    name="launchdarkly",
    docs="https://launchdarkly.com/docs/home/infrastructure/webhooks",
    evidence="unconfirmed",
    signature=Header("x-ld-signature"),
    algorithm="hmac-sha256",
    repeats="never",
    quirks="Sends no signature where no secret was set.",
)
