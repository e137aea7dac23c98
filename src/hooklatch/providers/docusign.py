"""DocuSign Connect: HMAC-SHA256 of the raw body, a numbered header for each active key."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

DOCUSIGN = Provider(
    name="docusign",
    docs="https://developers.docusign.com/platform/webhooks/connect/validate/",
    evidence="unconfirmed",
    signature=(
        Header("x-docusign-signature-1"),
        Header("x-docusign-signature-2"),
        Header("x-docusign-signature-3"),
        Header("x-docusign-signature-4"),
        Header("x-docusign-signature-5"),
        Header("x-docusign-signature-6"),
        Header("x-docusign-signature-7"),
        Header("x-docusign-signature-8"),
    ),
    algorithm="hmac-sha256",
    encoding="base64",
    repeats="never",
    retries=15 * 86_400,
    quirks="An account may have up to 100 keys; the first eight headers are read. Deliveries with documents inside "
    "need a larger max_body.",
)
