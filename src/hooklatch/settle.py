"""Settling a claim: committed when the work is done, given back when it is not, exactly once, and never loudly.

By the time a claim is settled the application has done its work and its answer stands. A store that fails now is
logged; the lease frees what could not be released.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from hooklatch.errors import StoreUnavailable
from hooklatch.observe import say

if TYPE_CHECKING:
    from hooklatch.types import Claim, Store


class Settlement:
    """The claim of one request, until it is settled."""

    __slots__ = ("_claim", "_store", "pending")

    def __init__(self, store: Store, claim: Claim | None) -> None:
        """*claim*: None where the route keeps no memory."""
        self._store = store
        self._claim = claim
        self.pending = claim is not None
        """Whether there is a claim that nobody has settled."""

    def finish(self, *, good: bool) -> None:
        """Commit if *good*, release otherwise; do nothing the second time."""
        # The slot is emptied first, so that no way out of the store's call can settle twice.
        claim, self._claim, self.pending = self._claim, None, False
        if claim is None:
            return
        try:
            if not good:
                self._store.release(claim)
            elif not self._store.commit(claim):
                lost()
        except StoreUnavailable as bad:
            failed(bad, good=good)


def lost() -> None:
    """Say that a claim was committed too late."""
    say(
        logging.WARNING,
        "lease_lost: the application ran longer than its lease; the same delivery may run again (lease=)",
    )


def failed(bad: StoreUnavailable, *, good: bool) -> None:
    """Say that a claim could not be settled, *good* or not."""
    if good:
        say(logging.ERROR, "commit_failed: %s; the answer stands, but the same delivery may run again", bad)
    else:
        say(logging.WARNING, "release_failed: %s; the lease will free the delivery", bad)
