"""An unsigned request shows a challenge in its query and gets it back as plain text.

Meta's shows a verify token besides, which you chose and gave to Meta: nothing is echoed for another one. Blanks are
echoed only for senders whose challenge is a sentence (Microsoft Graph).
"""

from __future__ import annotations

from hmac import compare_digest
from typing import TYPE_CHECKING

from hooklatch.errors import HandshakeRefused
from hooklatch.fields import Query
from hooklatch.handshakes import Mechanism
from hooklatch.handshakes.answers import ECHO, ECHO_WITH_BLANKS, plain, well_formed

if TYPE_CHECKING:
    from hooklatch.errors import Handshake
    from hooklatch.handshakes import Setting
    from hooklatch.types import Facts, Head


class EchoQuery(Mechanism):
    """*name*: of the parameter; *token*: of the parameter that must equal the route's ``handshake=``."""

    def __init__(
        self, setting: Setting, *, name: str, method: str = "GET", token: str = "", blanks: str = "no"
    ) -> None:
        self._challenge = Query(name)
        self._method = method
        self._token = Query(token) if token else None
        self._expected = setting.given.encode("utf-8")
        self._grammar = ECHO_WITH_BLANKS if blanks == "yes" else ECHO
        if token:
            self.wants = f"the text that you gave the sender, which it shows as {token}"

    def recognises(self, head: Head, /) -> bool:
        """Return whether the parameter is there."""
        return head.method == self._method and bool(head.query) and bool(self._challenge.read(head))

    def answer(self, facts: Facts, body: bytes, /) -> Handshake:  # noqa: ARG002 - there is none
        """Return the challenge; raise ``HandshakeRefused`` or ``HandshakeMalformed``."""
        if self._token is not None:
            shown = "".join(self._token.read(facts.head)).encode("latin-1")
            if not compare_digest(shown, self._expected):
                msg = f"{self._token.name} is absent or another one than the route's"
                raise HandshakeRefused(msg)
        (challenge,) = self._challenge.read(facts.head)
        return plain(well_formed(challenge, self._grammar))


MECHANISM = EchoQuery
