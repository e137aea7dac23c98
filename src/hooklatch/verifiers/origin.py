"""The origin of browser requests: preflights answered, foreign origins refused, before anything else is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hooklatch.errors import OriginNotAllowed, Preflight

if TYPE_CHECKING:
    from hooklatch.cors import CORS
    from hooklatch.types import Facts, Head


class Origin:
    """Applies a ``CORS`` policy. A request without ``Origin`` passes: CORS is not authentication."""

    def __init__(self, policy: CORS, methods: tuple[str, ...]) -> None:
        """*methods*: what a preflight is told the route accepts."""
        self._policy = policy
        self._methods = methods

    def open(self, head: Head, facts: Facts) -> None:  # noqa: ARG002 - the head says it all
        """Raise ``Preflight`` (a 2xx answer) or ``OriginNotAllowed``."""
        lines = head.headers.all("origin")
        if not lines:
            return
        if len(lines) > 1 or not self._policy.allows(lines[0]):
            raise OriginNotAllowed
        if head.method == "OPTIONS" and head.headers.all("access-control-request-method"):
            answer = Preflight()
            answer.headers = self._policy.preflight(self._methods)
            raise answer
