"""Twitch EventSub: HMAC-SHA256 of the id, the time and the raw body."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

TWITCH = Provider(
    name="twitch",
    docs="https://dev.twitch.tv/docs/eventsub/handling-webhook-events/",
    evidence="sdk",
    signature=Header("twitch-eventsub-message-signature"),
    prefix="sha256=",
    timestamp=Header("twitch-eventsub-message-timestamp"),
    timestamp_unit="rfc3339",
    id=Header("twitch-eventsub-message-id"),
    signed="{id}{timestamp}{body}",
    algorithm="hmac-sha256",
    max_age=600,
    max_skew=60,
    refusal_status=403,
    dispatch=(
        "twitch-eventsub-message-type",
        "twitch-eventsub-subscription-type",
        "twitch-eventsub-subscription-version",
    ),
    unsigned={
        "message_type": Header("twitch-eventsub-message-type"),
        "event_type": Header("twitch-eventsub-subscription-type"),
    },
    repeats="never",
    retries=3600,
    handshake="challenge_in_body header=twitch-eventsub-message-type:webhook_callback_verification value=challenge",
    quirks="The type of the message is a header that nobody signs: a notification has 'event' in its body, a "
    "challenge 'challenge'. The time has nine digits of fraction. An hour of retries is assumed.",
)
