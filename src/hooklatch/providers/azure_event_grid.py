"""Azure Event Grid: a secret in the URL. It proves the caller, and nothing of the body."""

from hooklatch.fields import Header, Query
from hooklatch.provider import Provider

AZURE_EVENT_GRID = Provider(
    name="azure_event_grid",
    docs="https://learn.microsoft.com/en-us/azure/event-grid/security-authentication",
    evidence="unconfirmed",
    signature=Query("code"),
    algorithm="token",
    encoding="text",
    dispatch=("aeg-event-type",),
    unsigned={"event_type": Header("aeg-event-type"), "delivery_count": Header("aeg-delivery-count")},
    repeats="never",
    retries=86_400,
    handshake="challenge_in_body header=aeg-event-type:SubscriptionValidation value=0.data.validationCode"
    " echo=validationResponse",
    quirks="The parameter's name is yours: using(signature=Query('secret')). It ends up in access logs. A bearer "
    "token of Microsoft Entra is the stronger form, which this record does not read.",
)
