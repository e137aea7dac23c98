"""Twilio: HMAC-SHA1 of the URL and the sorted form, or of the URL with the digest of a body in JSON."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

TWILIO = Provider(
    name="twilio",
    docs="https://www.twilio.com/docs/usage/webhooks/webhooks-security",
    evidence="sdk",
    signature=Header("x-twilio-signature"),
    scheme="twilio",
    algorithm="hmac-sha1",
    encoding="base64",
    fields_in="form",
    methods=("POST", "GET"),
    unsigned={"idempotency_token": Header("i-twilio-idempotency-token")},
    agents=("TwilioProxy/1.1",),
    repeats="normal",
    max_body=1 << 16,
    refusal_status=403,
    quirks="The method is not signed, and nothing separates names from values or the query from the form: characters "
    "can move between them, so read webhook.fields and pin AccountSid. A name that occurs twice proves no value. "
    "A body that is no form needs bodySHA256 in the URL. Keys of the kind 'SharedKey' sign by "
    "using(algorithm='hmac-sha256').",
)
