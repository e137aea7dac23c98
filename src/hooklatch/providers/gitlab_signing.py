"""GitLab with a signing token: Standard Webhooks."""

from hooklatch.fields import Header
from hooklatch.providers.standard_webhooks import STANDARD_WEBHOOKS

GITLAB_SIGNING = STANDARD_WEBHOOKS.using(
    name="gitlab_signing",
    docs="https://gitlab.com/gitlab-org/gitlab/-/merge_requests/230944",
    evidence="documentation",
    repeats="never",
    dispatch=("x-gitlab-event",),
    unsigned={"event_type": Header("x-gitlab-event"), "delivery_id": Header("x-gitlab-event-uuid")},
    agents=("GitLab/*",),
    retries=86_400,
    quirks="webhook-id is the Idempotency-Key and stays the same over the retries. GitLab may send X-Gitlab-Token "
    "besides, which is ignored here. How long it tries again is not stated; a day is assumed.",
)
