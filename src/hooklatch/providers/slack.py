"""Slack: HMAC-SHA256 of ``v0:{timestamp}:{body}``."""

from hooklatch.fields import Header, JSONField
from hooklatch.provider import Provider

SLACK = Provider(
    name="slack",
    docs="https://docs.slack.dev/authentication/verifying-requests-from-slack",
    evidence="sdk",
    signature=Header("x-slack-signature"),
    prefix="v0=",
    timestamp=Header("x-slack-request-timestamp"),
    id=JSONField("event_id"),
    signed="v0:{timestamp}:{body}",
    algorithm="hmac-sha256",
    max_age=300,
    max_skew=300,
    unsigned={"retry": Header("x-slack-retry-num"), "retry_reason": Header("x-slack-retry-reason")},
    agents=("Slackbot 1.0 (+https://api.slack.com/robots)", "Slackbot *"),
    repeats="never",
    retries=3900,
    handshake="challenge_in_body when=type:url_verification value=challenge",
    quirks="Events are tried again at once, after a minute and after five; allow an hour. Commands and "
    "interactions are forms without an event id and want their answer within 3 seconds.",
)
