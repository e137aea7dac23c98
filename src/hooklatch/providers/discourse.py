"""Discourse: HMAC-SHA256 of the raw body. The event's name is a header that nobody signs."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

DISCOURSE = Provider(
    name="discourse",
    docs="https://github.com/discourse/discourse/blob/main/app/jobs/regular/emit_web_hook_event.rb",
    evidence="documentation",
    signature=Header("x-discourse-event-signature"),
    prefix="sha256=",
    algorithm="hmac-sha256",
    dispatch=("x-discourse-event", "x-discourse-event-type", "x-discourse-instance"),
    apart=("x-discourse-event",),
    unsigned={
        "event_type": Header("x-discourse-event"),
        "delivery_id": Header("x-discourse-event-id"),
        "instance": Header("x-discourse-instance"),
    },
    agents=("Discourse/*",),
    repeats="possible",
    retries=156 * 60,
    quirks="Tries four times more, after 1, 5, 25 and 125 minutes, where the site says so. Sends no signature "
    "where no secret was set.",
)
