"""The settings of a ``WebhookMiddleware``, named once for doors, frameworks, files and docs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from hooklatch.chain import Chain
    from hooklatch.errors import Rejected
    from hooklatch.observe import Event
    from hooklatch.ratelimit import FailureLimit
    from hooklatch.stores import AnyStore

Render: TypeAlias = "Callable[[Rejected], tuple[str, bytes]]"
"""Returns media type and body of a refusal; ``("", b"")`` for one without a body."""


class Settings(TypedDict, total=False):
    """The settings of a ``WebhookMiddleware``. Every home of them takes these names: doors, files, Django, docs."""

    routes: Mapping[str, Chain]
    """Exact paths, or prefixes that end in ``/*``, each with its chain."""
    store: AnyStore | str
    """The duplicate memory, or its URL."""
    protect: Iterable[str]
    """Paths below which everything without a route is refused."""
    fail_open: bool | Literal["unsafe"]
    """Whether this process decides alone while the store is down; ``unsafe``: also without a signed time."""
    spool_threshold: int
    """Bytes of one body held in memory before it goes to a temporary file."""
    max_spool: int
    """Bytes of all spooled bodies together."""
    limit_failures: FailureLimit | None
    """How many unproven requests an address may send."""
    trusted_proxies: int | None
    """How many proxies in front add to X-Forwarded-For; 0 for none."""
    observer: Callable[[Event], object] | None
    """Called with every ``Event``."""
    render: Render | None
    """Makes the body of a refusal, instead of RFC 9457's ``problem+json``."""
    clock: Callable[[], float]
    """Returns unix seconds."""
    debug: bool
    """Tell the sender the reason of a refusal; not for production."""
