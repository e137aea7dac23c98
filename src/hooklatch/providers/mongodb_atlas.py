"""MongoDB Atlas alerts: HMAC-SHA1 of the raw body."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

MONGODB_ATLAS = Provider(
    name="mongodb_atlas",
    docs="https://www.mongodb.com/docs/atlas/tutorial/third-party-service-integrations/",
    evidence="unconfirmed",
    signature=Header("x-mms-signature"),
    algorithm="hmac-sha1",
    encoding="base64",
    dispatch=("x-mms-event",),
    unsigned={"event_type": Header("x-mms-event")},
    repeats="possible",
    quirks="Sends no signature where no secret was set.",
)
