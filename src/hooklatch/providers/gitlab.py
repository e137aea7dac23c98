"""GitLab: a secret token in a header. It proves the caller, and nothing of the body."""

from hooklatch.fields import Header
from hooklatch.provider import Provider

GITLAB = Provider(
    name="gitlab",
    docs="https://docs.gitlab.com/user/project/integrations/webhooks/",
    evidence="documentation",
    signature=Header("x-gitlab-token"),
    algorithm="token",
    encoding="text",
    dispatch=("x-gitlab-event",),
    apart=("idempotency-key",),
    unsigned={
        "event_type": Header("x-gitlab-event"),
        "delivery_id": Header("x-gitlab-event-uuid"),
        "idempotency_key": Header("idempotency-key"),
    },
    agents=("GitLab/*",),
    repeats="possible",
    quirks="Prefer a signing token (GITLAB_SIGNING), which proves the body and the time.",
)
