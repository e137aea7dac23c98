"""The method: compared letter by letter, because routers differ about ``post``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hooklatch.errors import MethodNotAllowed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hooklatch.types import Facts, Head


class Method:
    """Refuses every method but the given ones (405 with ``Allow``)."""

    def __init__(self, methods: Iterable[str]) -> None:
        """*methods*: upper-case names."""
        self.methods = tuple(methods)

    def open(self, head: Head, facts: Facts) -> None:  # noqa: ARG002 - the head says it all
        """Raise ``MethodNotAllowed``."""
        if head.method not in self.methods:
            refusal = MethodNotAllowed(f"{head.method[:20]!r} is not one of {', '.join(self.methods)}")
            refusal.headers = (("allow", ", ".join(self.methods)),)
            raise refusal
