"""CloudEvents webhooks 1.0: a bearer token. It proves the caller, and nothing of the body."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

CLOUDEVENTS = Provider(
    name="cloudevents",
    docs="https://github.com/cloudevents/spec/blob/main/cloudevents/http-webhook.md",
    evidence="documentation",
    signature=Header("authorization"),
    prefix="Bearer ",
    algorithm="token",
    encoding="text",
    dispatch=("ce-type",),
    apart=("ce-source", "ce-id"),
    unsigned={"event_id": Header("ce-id"), "event_type": Header("ce-type"), "source": Header("ce-source")},
    repeats="never",
    handshake="options",
    quirks="Senders may use the URL instead: using(signature=Query('access_token'), prefix=''). In binary mode the "
    "event's attributes are headers that nobody signs.",
)
