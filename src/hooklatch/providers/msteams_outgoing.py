"""Microsoft Teams outgoing webhooks: HMAC-SHA256 of the raw body; the token is base64 and stands for its bytes."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

MSTEAMS_OUTGOING = Provider(
    name="msteams_outgoing",
    docs="https://github.com/MicrosoftDocs/msteams-docs/blob/main/msteams-platform/"
    "webhooks-and-connectors/how-to/add-outgoing-webhook.md",
    evidence="sdk",
    signature=Header("authorization"),
    prefix="HMAC ",
    algorithm="hmac-sha256",
    encoding="base64",
    key_encoding="base64",
    repeats="normal",
    retries=0,
    quirks="The answer is the reply in the channel, wanted within 5 seconds, so nothing is taken for a duplicate.",
)
