"""Headers by which frameworks and proxies let a request mean another method or path than it says.

What was judged as one thing must not run as another, so a route refuses them: no sender in the catalogue uses any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hooklatch.errors import RequestAmbiguous

if TYPE_CHECKING:
    from hooklatch.types import Facts, Head

HEADERS: Final = frozenset(
    {
        "x-http-method-override",
        "x-http-method",
        "x-method-override",
        "x-original-url",
        "x-original-uri",
        "x-rewrite-url",
    }
)


class Overrides:
    """Refuses requests that carry one of ``HEADERS``."""

    def open(self, head: Head, facts: Facts) -> None:  # noqa: ARG002 - the head says it all
        """Raise ``RequestAmbiguous``."""
        if head.headers.any(HEADERS):
            name = next(name for name in sorted(HEADERS) if head.headers.all(name))
            msg = f"the header {name} could make the application see another method or path"
            raise RequestAmbiguous(msg)
