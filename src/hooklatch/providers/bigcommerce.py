"""BigCommerce: Standard Webhooks with the app's client secret as text."""

from hooklatch.providers.standard_webhooks import STANDARD_WEBHOOKS

BIGCOMMERCE = STANDARD_WEBHOOKS.using(
    name="bigcommerce",
    docs="https://docs.bigcommerce.com/developer/docs/integrations/webhooks/https",
    evidence="unconfirmed",
    repeats="never",
    key_encoding="utf-8",
    retries=48 * 3600,
    quirks="The body is thin: fetch what it names. Deactivated after 48 hours of failures.",
)
