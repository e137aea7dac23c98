"""The age: how far the proven timestamp may lie behind our clock, and how far ahead. Two numbers, because a symmetric
tolerance doubles the life of a capture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hooklatch.errors import TimestampExpired, TimestampInFuture, TimestampMissing

if TYPE_CHECKING:
    from hooklatch.types import Check, Facts, Head


class Age:
    """Refuses what is more than *max_age* seconds old or more than *max_skew* seconds ahead; both edges count as good.

    A timestamp in the head is judged before the body is read: refusing early weakens nothing.
    """

    late = True
    __slots__ = ("head", "max_age", "max_skew")

    def __init__(self, max_age: float, max_skew: float, *, head: bool) -> None:
        """*head*: whether the timestamp stands in the head."""
        self.max_age = max_age
        self.max_skew = max_skew
        self.head = head

    def open(self, head: Head, facts: Facts) -> Check | None:  # noqa: ARG002 - Timestamp has read it
        """Judge a timestamp in the head; return a check for one in the body."""
        if not self.head:
            return self
        self.finish(facts)
        return None

    def update(self, chunk: bytes) -> None:
        """Do nothing."""

    def finish(self, facts: Facts) -> None:
        """Raise ``TimestampExpired`` or ``TimestampInFuture``."""
        if facts.timestamp is None:
            raise TimestampMissing
        # Written so that a nan could only ever be refused.
        age = facts.head.received_at - facts.timestamp
        if -self.max_skew <= age <= self.max_age:
            return
        if age > 0:
            msg = f"{age:.3f} s old, {self.max_age:g} s allowed (max_age)"
            raise TimestampExpired(msg)
        msg = f"{-age:.3f} s ahead of our clock, {self.max_skew:g} s allowed (max_skew)"
        raise TimestampInFuture(msg)
