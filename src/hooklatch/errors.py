"""Everything hooklatch raises. The class says what happened, ``reason`` is its name, the message is for operators.

HooklatchError
├── ConfigError          at start-up only: names the setting and the cure
├── NotProven            a programmer asked for what no signature covers, or no verdict is attached
└── Answer               the request has its answer; the application is not called
    ├── Acknowledged     2xx: Duplicate, Diverted, Preflight, Handshake
    └── Rejected
        ├── Unauthenticated   401, or the status the sender documents
        ├── Forbidden         403
        ├── MethodNotAllowed  405
        ├── BadFraming        400, 408, 411, 413
        ├── Conflict          409
        ├── Unavailable       429, 503
        └── ClientDisconnected   nothing is sent
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from http import HTTPStatus
from typing import ClassVar

Headers = tuple[tuple[str, str], ...]

NO_STORE = ("cache-control", "no-store")
CHALLENGE = ("www-authenticate", 'Webhook-Signature realm="webhook"')
"""A 401 must say how to authenticate (RFC 9110, section 15.5.2)."""


class HooklatchError(Exception):
    """The root of everything hooklatch raises."""


class ConfigError(HooklatchError, ValueError):
    """The configuration cannot be trusted; raised when the application starts, never on a request."""


class NotProven(HooklatchError):
    """What was asked for is not covered by a verified signature."""


class Answer(HooklatchError):
    """The request has its answer: ``status`` (int), ``headers`` (text pairs), ``body`` (bytes), ``reason`` (text)."""

    reason: ClassVar[str] = ""
    status: int = 500
    headers: Headers = ()
    body: bytes = b""
    logged_by_limit: bool = False
    """Whether a limit writes the log, once per address and window, instead of a line each."""

    def __init_subclass__(cls) -> None:
        """Derive the reason from the class name, ``SignatureMissing`` is ``signature_missing``, unless one is given."""
        super().__init_subclass__()
        if "reason" not in vars(cls):
            cls.reason = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    def __str__(self) -> str:
        """Return ``reason: message``, or the reason alone."""
        message = super().__str__()
        return f"{self.reason}: {message}" if message else self.reason


class Acknowledged(Answer):
    """A 2xx answer to a request that is right but that the application need not see."""

    status = 200


class Duplicate(Acknowledged):
    """This delivery was processed before."""


class Diverted(Acknowledged):
    """Proven test traffic, acknowledged without running the application."""


class Preflight(Acknowledged):
    """A browser's CORS preflight, answered by the route's policy."""

    status = 204


class Handshake(Acknowledged):
    """A request a sender makes beside its deliveries, answered by the route."""


class Rejected(Answer):
    """A refusal. Every reason looks alike on the wire; the reason itself goes to the log."""

    status = 400
    bare: bool = False
    """Whether the body stays empty, because the sender demands it."""

    def problem(self, *, debug: bool = False) -> tuple[bytes, str]:
        """Return a body and its media type (RFC 9457): status and title, and with *debug* the reason code."""
        return _problem(self.status, self.reason if debug else ""), "application/problem+json"


@lru_cache
def _problem(status: int, reason: str) -> bytes:
    content: dict[str, object] = {"title": HTTPStatus(status).phrase, "status": status}
    if reason:
        content["reason"] = reason
    return json.dumps(content, separators=(",", ":")).encode()


class Unauthenticated(Rejected):
    """The request does not prove who sent it, or when."""

    status = 401


class SignatureMissing(Unauthenticated):
    """The place where the signature belongs is empty or absent."""


class SignatureMalformed(Unauthenticated):
    """The signature does not follow its grammar."""


class SignatureMismatch(Unauthenticated):
    """No active key of this party made the signature over these bytes."""


class AlgorithmNotAllowed(Unauthenticated):
    """The request names another algorithm or version than the configured one."""


class HeaderDuplicated(Unauthenticated):
    """A header, or a part of one, that must occur once occurs more often."""


class CertUrlUntrusted(Unauthenticated):
    """The request names an address for the sender's key that is none of the sender's; nothing was fetched."""


class TimestampMissing(Unauthenticated):
    """The age is checked, but the request carries no timestamp."""


class TimestampMalformed(Unauthenticated):
    """The timestamp does not follow the grammar of its unit."""


class TimestampExpired(Unauthenticated):
    """The timestamp is older than ``max_age`` seconds."""


class TimestampInFuture(Unauthenticated):
    """The timestamp is more than ``max_skew`` seconds ahead of our clock."""


class IdMissing(Unauthenticated):
    """The signature covers an event id, but the request carries none."""


class IdMalformed(Unauthenticated):
    """The event id is too long or contains what would let the signed content be cut elsewhere."""


class BodyMalformed(Unauthenticated):
    """The body could be read in more than one way where single fields of it are signed."""


class HandshakeRefused(Unauthenticated):
    """A handshake shows another value than the one the route was told to expect."""


class RouteUnknown(Unauthenticated):
    """The path lies below ``protect``, but no route judges it."""

    headers = (CHALLENGE, NO_STORE)


class Forbidden(Rejected):
    """Understood, and refused by policy."""

    status = 403


class OriginNotAllowed(Forbidden):
    """A browser sent this from an origin that the route does not list."""


class UserAgentNotAllowed(Forbidden):
    """Proven, but the user agent does not belong to the key that signed, or to the agents of this route."""


class MethodNotAllowed(Rejected):
    """The route does not accept this method."""

    status = 405


class BadFraming(Rejected):
    """The request cannot be read as one message with one meaning."""


class LengthMalformed(BadFraming):
    """Content-Length is not a plain decimal number."""


class BodyIncomplete(BadFraming):
    """Fewer or more body bytes arrived than were declared, or reading them failed."""


class HandshakeMalformed(BadFraming):
    """A handshake asks for an answer over something that must be neither echoed nor signed."""


class RequestAmbiguous(BadFraming):
    """The application could read this path, method or framing differently than the route that was judged."""

    headers = (NO_STORE,)


class LengthRequired(BadFraming):
    """A transfer coding that the server did not undo, and no length."""

    status = 411


class BodyTimeout(BadFraming):
    """The body did not arrive in time."""

    status = 408


class BodyTooLarge(BadFraming):
    """The body is larger than ``max_body`` bytes."""

    status = 413


class Conflict(Rejected):
    """Proven, but at odds with what is known of this delivery."""

    status = 409


class DuplicateInFlight(Conflict):
    """The same delivery is being processed at this moment; the sender should try again."""

    headers = (("retry-after", "10"),)


class DuplicateAltered(Conflict):
    """A seen delivery came again with other unsigned parts that an application decides by."""


class DuplicateRefused(Conflict):
    """This delivery was processed before, and the route answers that with 409 (``on_duplicate="reject"``)."""


class Unavailable(Rejected):
    """Nothing wrong with the request; the fault is on our side, and the sender should try again."""

    status = 503
    headers = (("retry-after", "30"),)


class RateLimited(Unavailable):
    """Too many unproven requests from this address."""

    status = 429


class StoreUnavailable(Unavailable):
    """The duplicate memory is down, slow or full."""

    uncertain: ClassVar[bool] = True
    """Whether what was asked may have been done all the same: the answer alone may be lost."""


class SecretUnavailable(Unavailable):
    """No secret is in force at this moment, or its source failed."""


class ClientDisconnected(Rejected):
    """The sender went away before the body was complete; nobody is left to answer."""
