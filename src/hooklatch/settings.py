"""The settings of a ``WebhookMiddleware``, as the frameworks' modules hand them on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from hooklatch.chain import Chain
    from hooklatch.observe import Event
    from hooklatch.ratelimit import FailureLimit
    from hooklatch.stores import AnyStore


class Settings(TypedDict, total=False):
    """The settings of ``hooklatch.wsgi.WebhookMiddleware``, which explains them, and of its ASGI twin."""

    routes: Mapping[str, Chain]
    store: AnyStore | str
    protect: Iterable[str]
    fail_open: bool | Literal["unsafe"]
    spool_threshold: int
    max_spool: int
    limit_failures: FailureLimit | None
    trusted_proxies: int | None
    observer: Callable[[Event], object] | None
    clock: Callable[[], float]
    debug: bool
