"""An OPTIONS request asks whether a named sender may deliver here, and is told that it may and how often.

CloudEvents, HTTP 1.1 Web Hooks for Event Delivery 1.0, section 4. A CORS preflight is another thing, and not answered
here. The callback URL that such a request may offer is never called.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hooklatch.errors import HandshakeRefused
from hooklatch.fields import Header
from hooklatch.handshakes import Mechanism
from hooklatch.handshakes.answers import nothing, well_formed

if TYPE_CHECKING:
    from hooklatch.errors import Handshake
    from hooklatch.handshakes import Setting
    from hooklatch.types import Facts, Head

_ORIGIN: Final = Header("webhook-request-origin")
_RATE: Final = Header("webhook-request-rate")
_DNS: Final = re.compile(r"[A-Za-z0-9._-]{1,253}(:[0-9]{1,5})?")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}|\*")


class Permission(Mechanism):
    """The route's ``handshake=`` may be the one origin that is permitted; with True it is whoever asks."""

    takes = True

    def __init__(self, setting: Setting) -> None:
        self._permitted = setting.given
        self._methods = setting.methods

    def recognises(self, head: Head, /) -> bool:
        """Return whether an origin asks, and no browser does."""
        preflight = head.headers.all("access-control-request-method")
        return head.method == "OPTIONS" and not preflight and bool(_ORIGIN.read(head))

    def answer(self, facts: Facts, body: bytes, /) -> Handshake:  # noqa: ARG002 - there is none
        """Return the permission; raise ``HandshakeRefused`` or ``HandshakeMalformed``."""
        (shown,) = _ORIGIN.read(facts.head)
        origin = well_formed(shown, _DNS)
        if self._permitted and origin.lower() != self._permitted.lower():
            msg = f"{origin} is not the origin that this route permits"
            raise HandshakeRefused(msg)
        rates = [("webhook-allowed-rate", well_formed(rate, _NUMBER)) for rate in _RATE.read(facts.head)]
        return nothing(("webhook-allowed-origin", origin), *rates, ("allow", ", ".join(self._methods)))


MECHANISM = Permission
