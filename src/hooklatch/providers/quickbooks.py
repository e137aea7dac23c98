"""QuickBooks: HMAC-SHA256 of the raw body with the app's verifier token."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

QUICKBOOKS = Provider(
    name="quickbooks",
    docs="https://developer.intuit.com/app/developer/qbo/docs/develop/webhooks",
    evidence="sdk",
    signature=Header("intuit-signature"),
    algorithm="hmac-sha256",
    encoding="base64",
    repeats="never",
    quirks="One token signs for every company that installed the app.",
)
