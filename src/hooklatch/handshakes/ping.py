"""A POST without an event asks whether somebody is there, and gets 200 with an empty body or the reply it expects.

Where the sender signs it, the signature is judged first.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hooklatch.handshakes import Mechanism
from hooklatch.handshakes.answers import document, matches, members, nothing

if TYPE_CHECKING:
    from hooklatch.errors import Handshake
    from hooklatch.handshakes import Setting
    from hooklatch.types import Facts, Head


class Ping(Mechanism):
    """*when*: ``path:value`` in a JSON body, or *form*: a form that holds this field alone, a number.

    *reply*: ``member:number`` of the JSON that answers it; *unsigned*: ``yes`` where the sender signs none of these,
    or not all.
    """

    signed = True
    reads = True

    def __init__(
        self,
        setting: Setting,  # noqa: ARG002 - none of it matters
        *,
        when: str = "",
        form: str = "",
        reply: str = "",
        unsigned: str = "no",
    ) -> None:
        self._when = when
        self._form = re.compile(rf"{re.escape(form)}=[0-9]{{1,20}}".encode("ascii")) if form else None
        self._reply, _, self._number = reply.partition(":")
        self.unsigned = unsigned == "yes"

    def recognises(self, head: Head, /) -> bool:
        """Return whether the method allows it."""
        return head.method == "POST"

    def answer(self, facts: Facts, body: bytes, /) -> Handshake | None:  # noqa: ARG002 - the body says it all
        """Return the reply, None for a delivery."""
        if self._form is not None:
            return nothing() if self._form.fullmatch(body) else None
        found = document(body, self._when.partition(":")[0].split(".")[-1])
        if found is None or not matches(found, self._when):
            return None
        return members(**{self._reply: int(self._number)}) if self._reply else nothing()


MECHANISM = Ping
