"""One rule per file. Each is a ``Verifier``: ``open`` judges the head, the ``Check`` it may return judges the body."""

from hooklatch.verifiers.age import Age
from hooklatch.verifiers.body_digest import BodyDigest
from hooklatch.verifiers.cheap import Cheap
from hooklatch.verifiers.event_id import EventId
from hooklatch.verifiers.handshake import Beside, Proven, Waiting
from hooklatch.verifiers.length import Length
from hooklatch.verifiers.method import Method
from hooklatch.verifiers.origin import Origin
from hooklatch.verifiers.overrides import Overrides
from hooklatch.verifiers.signature import Signature
from hooklatch.verifiers.statements import Statements
from hooklatch.verifiers.timestamp import Timestamp
from hooklatch.verifiers.user_agent import UserAgent

__all__ = [
    "Age",
    "Beside",
    "BodyDigest",
    "Cheap",
    "EventId",
    "Length",
    "Method",
    "Origin",
    "Overrides",
    "Proven",
    "Signature",
    "Statements",
    "Timestamp",
    "UserAgent",
    "Waiting",
]
