"""An unsigned POST brings the secret of the deliveries to come, which a pending route hands to its operator, once.

Anybody can send such a request, so no route ever takes its key from one: ``on_secret`` gets the text, and a person (or
the program that has just asked the sender for the hook) decides whether the next start uses it.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from hooklatch.errors import BodyMalformed, Handshake, HandshakeMalformed, SecretUnavailable
from hooklatch.fields import Header
from hooklatch.handshakes import Mechanism
from hooklatch.handshakes.answers import ECHO, document, nothing, well_formed

if TYPE_CHECKING:
    from hooklatch.handshakes import Setting
    from hooklatch.types import Facts, Head


class HookSecret(Mechanism):
    """*header*: that holds the secret and is sent back, or *field*: of a JSON body that holds it and nothing else."""

    pending = True

    def __init__(self, setting: Setting, *, header: str = "", field: str = "") -> None:
        self._header = Header(header) if header else None
        self._field = field
        self._tell = setting.on_secret
        self._turn = threading.Lock()
        self._done = False
        self.reads = True

    def recognises(self, head: Head, /) -> bool:
        """Return whether a secret can be in it, and none was handed over before."""
        if self._done or head.method != "POST":
            return False
        return self._header is None or bool(self._header.read(head))

    def answer(self, facts: Facts, body: bytes, /) -> Handshake | None:
        """Hand the secret over and return what confirms it; raise ``HandshakeMalformed`` or ``SecretUnavailable``."""
        if self._header is not None:
            (secret,) = self._header.read(facts.head)
            answer = nothing((self._header.names[0], well_formed(secret, ECHO)))
        else:
            found = document(body, self._field)
            try:
                text = None if found is None else found.text(self._field)
            except BodyMalformed as bad:
                raise HandshakeMalformed(str(bad)) from bad
            if text is None:
                return None
            secret, answer = well_formed(text, ECHO), nothing()
        self._hand_over(secret)
        return answer

    def _hand_over(self, secret: str) -> None:
        with self._turn:
            if self._done or self._tell is None:
                msg = "a handshake brought a second secret; the first was handed over"
                raise SecretUnavailable(msg)
            try:
                self._tell(secret)
            except Exception as bad:  # noqa: BLE001 - whatever it is, the sender must try again
                # Neither the secret nor what the callback made of it may reach a log.
                msg = f"on_secret failed: {type(bad).__name__}"
                raise SecretUnavailable(msg) from None
            self._done = True


MECHANISM = HookSecret
