"""Microsoft Graph notifications: a clientState in the body, which you chose. It proves the caller, and no more."""

from hooklatch.fields import JSONField
from hooklatch.provider import Provider

MSGRAPH = Provider(
    name="msgraph",
    docs="https://learn.microsoft.com/en-us/graph/change-notifications-delivery-webhooks",
    evidence="unconfirmed",
    signature=JSONField("value", "0", "clientState"),
    algorithm="token",
    encoding="text",
    max_body=1 << 18,
    repeats="never",
    retries=4 * 3600,
    handshake="echo_query name=validationToken method=POST blanks=yes",
    quirks="Several notifications may come in one body, and the clientState of the first one is compared: compare the "
    "others in your handler where subscriptions with several of them share a route. Answers are due within 10 seconds.",
)
