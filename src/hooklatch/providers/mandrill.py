"""Mandrill (Mailchimp Transactional): HMAC-SHA1 of the registered URL and the sorted form."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

MANDRILL = Provider(
    name="mandrill",
    docs="https://mailchimp.com/developer/transactional/guides/track-respond-activity-webhooks/"
    "#authenticating-webhook-requests",
    evidence="documentation",
    signature=Header("x-mandrill-signature"),
    scheme="sorted_form",
    algorithm="hmac-sha1",
    encoding="base64",
    fields_in="form",
    agents=("Mandrill-Webhook/1.0", "Mandrill-Webhook/*"),
    max_body=1 << 18,
    handshake="probe method=HEAD",
    repeats="never",
    quirks="The events are JSON text in webhook.fields['mandrill_events']. The URL is the one registered, to the "
    "letter. Its probe is an unsigned HEAD; its test is signed with the key 'test-webhook': "
    "Secret('test-webhook', test=True). Inbound mail is larger than 256 KiB now and then: raise max_body where "
    "it is expected.",
)
