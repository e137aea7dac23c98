"""The declared length: a body that says it is too large is refused before a byte of it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hooklatch.errors import BodyTooLarge

if TYPE_CHECKING:
    from hooklatch.types import Facts, Head


class Length:
    """Refuses a declared length over *max_body* bytes (413); undeclared ones are counted as they arrive."""

    def __init__(self, max_body: int) -> None:
        """*max_body*: bytes."""
        self.max_body = max_body

    def open(self, head: Head, facts: Facts) -> None:  # noqa: ARG002 - the head says it all
        """Raise ``BodyTooLarge``."""
        if head.length is not None and head.length > self.max_body:
            msg = f"{head.length} bytes declared, {self.max_body} allowed (max_body)"
            raise BodyTooLarge(msg)
