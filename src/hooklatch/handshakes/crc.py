"""An unsigned GET shows a token in its query and gets the token's HMAC under the delivery key.

That is a signing oracle unless no token can be a delivery: only such tokens are answered, see ``answers.TOKENS``. X
signs a raw body, which is JSON and begins with a brace; Braintree signs base64 of XML, far longer than its tokens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hooklatch.errors import ConfigError
from hooklatch.fields import Query
from hooklatch.handshakes import Mechanism
from hooklatch.handshakes.answers import ECHO, TOKENS, demand_hmac, members, plain, tag, well_formed

if TYPE_CHECKING:
    from hooklatch.errors import Handshake
    from hooklatch.handshakes import Setting
    from hooklatch.types import Facts, Head


class CRC(Mechanism):
    """*name*: of the parameter; *grammar*: one of ``TOKENS``; *encoding*, *prefix*: how the HMAC is written.

    *answer*: the JSON member that holds the HMAC, *echo*: the one that repeats the token. Without *answer* it is plain
    text, behind a bar and the value called *behind* in the route's ``expect=``.
    """

    def __init__(
        self,
        setting: Setting,
        *,
        name: str,
        answer: str = "",
        behind: str = "",
        echo: str = "",
        grammar: str = "word",
        encoding: str = "hex",
        prefix: str = "",
    ) -> None:
        demand_hmac(setting)
        self._token = Query(name)
        self._member = answer
        self._echo = echo
        self._grammar = TOKENS[grammar]
        self._encoding = encoding
        self._prefix = prefix
        self._before = setting.expect.get(behind, "")
        if not answer and not ECHO.fullmatch(self._before):
            msg = f"{setting.record.name}: expect={{{behind!r}: ...}} must be printable text without blanks"
            raise ConfigError(msg)

    def recognises(self, head: Head, /) -> bool:
        """Return whether the token is there."""
        return head.method == "GET" and bool(head.query) and bool(self._token.read(head))

    def answer(self, facts: Facts, body: bytes, /) -> Handshake:  # noqa: ARG002 - there is none
        """Return the token's HMAC; raise ``HandshakeMalformed``."""
        (shown,) = self._token.read(facts.head)
        token = well_formed(shown, self._grammar)
        mac = tag(facts, token, encoding=self._encoding, prefix=self._prefix)
        if not self._member:
            return plain(f"{self._before}|{mac}")
        return members(**({self._echo: token} if self._echo else {}), **{self._member: mac})


MECHANISM = CRC
