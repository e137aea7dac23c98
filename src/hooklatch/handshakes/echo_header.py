"""An unsigned request shows a challenge in a header and gets it back, as JSON or in a header of the same name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hooklatch.fields import Header
from hooklatch.handshakes import Mechanism
from hooklatch.handshakes.answers import ECHO, ECHO_WITH_BLANKS, members, nothing, well_formed

if TYPE_CHECKING:
    from hooklatch.errors import Handshake
    from hooklatch.handshakes import Setting
    from hooklatch.types import Facts, Head


class EchoHeader(Mechanism):
    """*name*: of the header; *answer*: of the JSON member that repeats its value, else a header of that name does."""

    def __init__(self, setting: Setting, *, name: str, method: str = "GET", answer: str = "") -> None:  # noqa: ARG002
        self._header = Header(name)
        self._method = method
        self._member = answer

    def recognises(self, head: Head, /) -> bool:
        """Return whether the header is there."""
        return head.method == self._method and bool(self._header.read(head))

    def answer(self, facts: Facts, body: bytes, /) -> Handshake:  # noqa: ARG002 - there is none
        """Return the challenge; raise ``HandshakeMalformed``."""
        (challenge,) = self._header.read(facts.head)
        if self._member:
            return members(**{self._member: well_formed(challenge, ECHO_WITH_BLANKS)})
        return nothing((self._header.names[0], well_formed(challenge, ECHO)))


MECHANISM = EchoHeader
