"""ClickUp: HMAC-SHA256 of the raw body."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

CLICKUP = Provider(
    name="clickup",
    docs="https://developer.clickup.com/docs/webhooksignature",
    evidence="documentation",
    signature=Header("x-signature"),
    algorithm="hmac-sha256",
    repeats="possible",
    quirks="Sends no delivery id; two short events of one task can look alike.",
)
