"""What is still judged once an address is over the limit of refusals: what costs next to nothing.

Forged requests may come from a sender's genuine addresses, so whoever is over the limit can still prove himself: by a
scheme that costs no more than hashing, over a small body whose length he declares, with a head that can be right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hooklatch.errors import RateLimited, Unauthenticated

if TYPE_CHECKING:
    from hooklatch.types import Check, Facts, Head, Verifier

CHEAP: Final = 1 << 16
"""Largest declared body (bytes) that is cheap to judge."""


class Cheap:
    """Asks the *signature*; over the limit it refuses what is not cheap to judge (429) before the body is read."""

    proves = True
    __slots__ = ("_costly", "signature")

    def __init__(self, signature: Verifier, *, costly: bool) -> None:
        """*signature*: the verifier that proves; *costly*: whether its keys are (``types.Key``)."""
        self.signature = signature
        self._costly = costly

    def open(self, head: Head, facts: Facts) -> Check | None:
        """Return the signature's check; raise what it raises, or ``RateLimited``."""
        if not head.limited:
            return self.signature.open(head, facts)
        if self._costly:
            raise _limited(head, "public-key signatures are costly to judge")
        # A transfer coding overrules the length.
        if head.length is None or head.headers.all("transfer-encoding"):
            raise _limited(head, "the body declares no length")
        if head.length > CHEAP:
            raise _limited(head, f"{head.length} bytes declared, {CHEAP} are still judged")
        try:
            return self.signature.open(head, facts)
        except Unauthenticated as bad:
            raise _limited(head, str(bad)) from bad


def _limited(head: Head, why: str) -> RateLimited:
    answer = RateLimited(f"too many unproven requests from this address; {why}")
    answer.headers = (("retry-after", str(head.limited)),)
    answer.logged_by_limit = True
    return answer
