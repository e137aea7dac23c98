"""EasyPost: HMAC-SHA256 of the raw body with the webhook's secret."""

from hooklatch.fields import Header, JSONField
from hooklatch.provider import Provider

EASYPOST = Provider(
    name="easypost",
    docs="https://docs.easypost.com/guides/webhooks-guide",
    evidence="sdk",
    signature=Header("x-hmac-signature"),
    prefix="hmac-sha256-hex=",
    algorithm="hmac-sha256",
    id=JSONField("id"),
    repeats="never",
    quirks="EasyPost brings the secret to Unicode's form NFKD before use: give one in ASCII. Without a secret there is "
    "no signature. The id in the body is the event's.",
)
