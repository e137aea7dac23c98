"""Svix: Standard Webhooks under the ``svix-`` stem."""

from hooklatch.fields import Header
from hooklatch.providers.standard_webhooks import STANDARD_WEBHOOKS

SVIX = STANDARD_WEBHOOKS.using(
    name="svix",
    docs="https://docs.svix.com/receiving/verifying-payloads/how-manual",
    evidence="sdk",
    signature=Header("svix-signature", part="v1", many=True, separator=" ", assign=","),
    timestamp=Header("svix-timestamp"),
    id=Header("svix-id"),
    agents=("Svix-Webhooks/*",),
    repeats="never",
    retries=28 * 3600,
    quirks="Any answer but 2xx is tried again, for 27.6 hours in all; an endpoint that fails for 5 days is disabled.",
)
