"""Which mechanism each sender's handshake is, and the record it is tried with: the catalogue's, or the least of one."""

from __future__ import annotations

from typing import Any

from hooklatch import FormField, Header, JSONField, Provider, Query, providers

HANDSHAKES = {
    "asana": "hook_secret header=x-hook-secret",
    "azure_event_grid": "challenge_in_body header=aeg-event-type:SubscriptionValidation"
    " value=0.data.validationCode echo=validationResponse",
    "braintree": "crc name=bt_challenge grammar=hex behind=public_key",
    "cloudevents": "options",
    "discord": "ping when=type:1 reply=type:1",
    "dropbox": "echo_query name=challenge",
    "linkedin": "crc name=challengeCode echo=challengeCode answer=challengeResponse",
    "mailchimp": "probe method=GET",
    "mandrill": "probe method=HEAD",
    "meta": "echo_query name=hub.challenge token=hub.verify_token",
    "msgraph": "echo_query name=validationToken method=POST blanks=yes",
    "notion": "hook_secret field=verification_token",
    "okta": "echo_header name=x-okta-verification-challenge answer=verification",
    "ship24": "probe method=HEAD",
    "slack": "challenge_in_body when=type:url_verification value=challenge",
    "trello": "probe method=HEAD",
    "twitch": "challenge_in_body header=twitch-eventsub-message-type:webhook_callback_verification value=challenge",
    "viber": "ping when=event:webhook unsigned=yes",
    "woocommerce": "ping form=webhook_id unsigned=yes",
    "x_twitter": "crc name=crc_token answer=response_token encoding=base64 prefix=sha256=",
    "xero": "ping when=events:[]",
    "zoom": "challenge_in_body when=event:endpoint.url_validation value=payload.plainToken"
    " echo=plainToken sign=encryptedToken",
}

TOKEN = {"algorithm": "token", "encoding": "text"}
LEAST: dict[str, dict[str, Any]] = {
    "asana": {"signature": Header("x-hook-signature")},
    "azure_event_grid": {"signature": Query("code"), **TOKEN},
    "braintree": {"signature": FormField("bt_signature"), "signed": "{field.bt_payload}", "algorithm": "hmac-sha1",
                  "fields_in": "form", "expects": ("public_key",)},
    "cloudevents": {"signature": Header("authorization"), "prefix": "Bearer ", **TOKEN},
    "discord": {"signature": Header("x-signature-ed25519"), "timestamp": Header("x-signature-timestamp"),
                "signed": "{timestamp}{body}", "algorithm": "ed25519", "adjacent": True},
    "dropbox": {"signature": Header("x-dropbox-signature")},
    "linkedin": {"signature": Header("x-li-signature"), "signed": "hmacsha256={body}"},
    "mailchimp": {"signature": Query("secret"), **TOKEN},
    "mandrill": {"signature": Header("x-mandrill-signature"), "algorithm": "hmac-sha1", "encoding": "base64"},
    "meta": {"signature": Header("x-hub-signature-256"), "prefix": "sha256="},
    "msgraph": {"signature": JSONField("value", "0", "clientState"), **TOKEN},
    "notion": {"signature": Header("x-notion-signature"), "prefix": "sha256="},
    "okta": {"signature": Header("authorization"), **TOKEN},
    "ship24": {"signature": Header("authorization"), "prefix": "Bearer ", **TOKEN},
    "slack": {"signature": Header("x-slack-signature"), "prefix": "v0=", "signed": "v0:{timestamp}:{body}",
              "timestamp": Header("x-slack-request-timestamp"), "id": JSONField("event_id"), "max_age": 300},
    "trello": {"signature": Header("x-trello-webhook"), "algorithm": "hmac-sha1", "encoding": "base64"},
    "twitch": {"signature": Header("twitch-eventsub-message-signature"), "prefix": "sha256=",
               "timestamp": Header("twitch-eventsub-message-timestamp"), "timestamp_unit": "rfc3339",
               "id": Header("twitch-eventsub-message-id"), "signed": "{id}{timestamp}{body}", "adjacent": True},
    "viber": {"signature": Header("x-viber-content-signature")},
    "woocommerce": {"signature": Header("x-wc-webhook-signature"), "encoding": "base64"},
    "x_twitter": {"signature": Header("x-twitter-webhooks-signature"), "encoding": "base64", "prefix": "sha256="},
    "xero": {"signature": Header("x-xero-signature"), "encoding": "base64", "bare_refusals": True},
    "zoom": {"signature": Header("x-zm-signature"), "prefix": "v0=", "signed": "v0:{timestamp}:{body}",
             "timestamp": Header("x-zm-request-timestamp"), "max_age": 300},
}  # fmt: skip


def record(name: str) -> Provider:
    """Return the record called *name*, from the catalogue where it is there."""
    if name in providers.names():
        return providers.provider(name)
    return Provider(name=name, handshake=HANDSHAKES[name], **LEAST[name])
