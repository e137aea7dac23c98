"""A signed POST holds a challenge in its JSON body, which is sent back once the signature holds: as it is, or with its
HMAC.

A challenge that is signed with the delivery key must be a word without punctuation, which no delivery is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hooklatch.errors import HandshakeMalformed
from hooklatch.handshakes import Mechanism
from hooklatch.handshakes.answers import (
    ECHO,
    TOKENS,
    demand_hmac,
    document,
    matches,
    members,
    plain,
    tag,
    well_formed,
)

if TYPE_CHECKING:
    from hooklatch.errors import Handshake
    from hooklatch.handshakes import Setting
    from hooklatch.types import Facts, Head


class ChallengeInBody(Mechanism):
    """*value*: path of the challenge; *when* ``path:value`` or *header* ``name:value``: what tells it from a delivery.

    *echo*, *sign*: the JSON members that hold the challenge and its HMAC (hex); without either it is plain text.
    """

    signed = True
    unsigned = False
    reads = True

    def __init__(
        self, setting: Setting, *, value: str, when: str = "", header: str = "", echo: str = "", sign: str = ""
    ) -> None:
        if sign:
            demand_hmac(setting)
        self._path = value.split(".")
        self._when = when
        self._header, _, self._kind = header.lower().partition(":")
        self._echo = echo
        self._sign = sign

    def recognises(self, head: Head, /) -> bool:
        """Return whether the head allows it."""
        if not self._header:
            return head.method == "POST"
        return head.method == "POST" and [line.lower() for line in head.headers.all(self._header)] == [self._kind]

    def answer(self, facts: Facts, body: bytes, /) -> Handshake | None:
        """Return the challenge or its HMAC, None for a delivery; raise ``HandshakeMalformed``."""
        found = document(body, self._when.partition(":")[2])
        if found is None or (self._when and not matches(found, self._when)):
            return None
        shown = found.text(*self._path)
        if shown is None:
            msg = f"the handshake holds no {'.'.join(self._path)}"
            raise HandshakeMalformed(msg)
        if self._sign:
            token = well_formed(shown, TOKENS["urlword"])
            mac = tag(facts, token, encoding="hex")
            return members(**({self._echo: token} if self._echo else {}), **{self._sign: mac})
        challenge = well_formed(shown, ECHO)
        return members(**{self._echo: challenge}) if self._echo else plain(challenge)


MECHANISM = ChallengeInBody
