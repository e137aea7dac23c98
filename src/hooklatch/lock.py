"""The second lock, as every framework's module turns it: the verdict on this very request, or the door's own 401.

A framework adds only how its handlers name the request, and how they end it.
"""

from __future__ import annotations

import logging
from functools import wraps
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar, cast

from hooklatch.chain import Chain
from hooklatch.errors import CHALLENGE, NO_STORE, ConfigError, NotProven, Unauthenticated
from hooklatch.observe import escaped
from hooklatch.provider import Provider
from hooklatch.verdict import get_webhook

if TYPE_CHECKING:
    from collections.abc import Callable

    from hooklatch.types import Webhook

__all__ = ["BODY", "MEDIA_TYPE", "STATUS", "demand", "headers", "locked", "sender"]

logger: Final = logging.getLogger("hooklatch")

Arguments = ParamSpec("Arguments")
Returned = TypeVar("Returned")

STATUS: Final = Unauthenticated.status
BODY, MEDIA_TYPE = Unauthenticated().problem()


def headers() -> dict[str, str]:
    """Return the header lines of the 401; a new dictionary, for frameworks add to the one they are given."""
    return dict((CHALLENGE, NO_STORE))


def demand(source: object, expected: Provider | Chain | str | None = None, *, allow_test: bool = False) -> Webhook:
    """Return what ``get_webhook`` returns; log the ``NotProven`` it raises, for the sender is told nothing."""
    try:
        return get_webhook(source, expected, allow_test=allow_test)
    except NotProven as missing:
        logger.warning("second lock: %s", escaped(str(missing)))
        raise


def sender(expected: Provider | Chain | str, usage: str) -> Provider | Chain | str:
    """Return *expected*; raise ``ConfigError``, which shows the *usage*, unless it names a sender."""
    if not isinstance(cast("object", expected), Provider | Chain | str):
        msg = f"verified() takes the provider a handler is written for, as in {usage}, not {expected!r}"
        raise ConfigError(msg)
    return expected


def locked(lock: Callable[[], object], view: Callable[Arguments, Returned]) -> Callable[Arguments, Returned]:
    """Return *view*, sync or async, behind *lock*, which raises whatever ends the request."""
    if iscoroutinefunction(view):

        @wraps(view)
        async def awaited(*args: Arguments.args, **kwargs: Arguments.kwargs) -> object:
            lock()
            return await view(*args, **kwargs)

        return cast("Callable[Arguments, Returned]", awaited)

    @wraps(view)
    def called(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Returned:
        lock()
        return view(*args, **kwargs)

    return called
