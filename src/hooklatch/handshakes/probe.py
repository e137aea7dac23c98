"""A HEAD or GET request asks whether the URL exists, and gets 200 with an empty body."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hooklatch.handshakes import Mechanism
from hooklatch.handshakes.answers import nothing

if TYPE_CHECKING:
    from hooklatch.errors import Handshake
    from hooklatch.handshakes import Setting
    from hooklatch.types import Facts, Head


class Probe(Mechanism):
    """*method*: with which the sender probes."""

    def __init__(self, setting: Setting, *, method: str) -> None:  # noqa: ARG002 - none of it matters
        self._method = method

    def recognises(self, head: Head, /) -> bool:
        """Return whether it is the method of the probe."""
        return head.method == self._method

    def answer(self, facts: Facts, body: bytes, /) -> Handshake:  # noqa: ARG002 - there is nothing to say
        """Return nothing with status 200."""
        return nothing()


MECHANISM = Probe
