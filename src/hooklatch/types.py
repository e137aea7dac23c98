"""The nouns: what goes into a judgement (Head), what is learnt on the way (Facts), what comes out (Webhook), and the
protocols a rule, a key and a store keep.
"""

from __future__ import annotations

import enum
import io
import json
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Literal, NamedTuple, Protocol, Self, TypeAlias

from hooklatch.errors import NotProven

if TYPE_CHECKING:
    from hooklatch.body import Body

Coverage: TypeAlias = Literal["body", "fields", "weak", "caller"]
"""What a verified signature vouches for: the whole body, some fields, a weak digest of the body, or only the caller."""

Repeats: TypeAlias = Literal["never", "possible", "normal"]
"""Whether a sender honestly sends equal deliveries that are different events."""

Unit: TypeAlias = Literal["s", "ms", "rfc3339", "http"]
UNITS: Final[tuple[Unit, ...]] = ("s", "ms", "rfc3339", "http")
"""How a sender writes the time: seconds or milliseconds since 1970, RFC 3339, or the date of RFC 9110."""

NO_FIELDS: Final[Mapping[str, str]] = {}


class HeaderLines(Protocol):
    """The header lines of a request. There is no ``get``: joining or picking hides repeated lines."""

    def all(self, name: str, /) -> Sequence[str]:
        """Return the values of every line called *name* (lower case), in order, as latin-1 views of the wire bytes."""

    def any(self, names: frozenset[str], /) -> bool:
        """Return whether there is a line called by one of the *names* (lower case)."""


@dataclass(slots=True)
class Head:
    """What is known of a request before its body: all that decides whether the body is read at all."""

    method: str
    path: str
    """The full decoded path, mount prefix included."""
    query: str
    """The raw query string, without ``?``."""
    headers: HeaderLines
    received_at: float
    """Unix seconds by our clock."""
    length: int | None = None
    """Body bytes as declared, None where nothing was declared."""
    route: str = ""
    """The pattern of the matched route."""
    target: str = ""
    """The request line's target, percent-escapes untouched, with or without its query; empty where a server hides it.
    """
    limited: int = 0
    """Seconds for which its address may only send what is cheap to judge, having sent too much that proved nothing."""

    @property
    def raw_path(self) -> str:
        """The path as it stood in the request line, percent-escapes untouched; empty where the server hides it."""
        return self.target.partition("?")[0]


class Hash(Protocol):
    """A running hash; what ``hashlib`` returns is one."""

    def update(self, data: bytes, /) -> None:
        """Take in more bytes."""

    def copy(self) -> Self:
        """Return an independent twin of the state."""

    def digest(self) -> bytes:
        """Return the digest of what was taken in so far."""


class Key(Protocol):
    """One usable key: it starts a hash over the signed content and judges the signatures that were offered for it."""

    @property
    def size(self) -> int:
        """Return the length of one signature (bytes), 0 where it varies."""

    @property
    def pace(self) -> int:
        """Return how many bytes may be hashed at one go on an event loop."""

    @property
    def costly(self) -> bool:
        """Return whether judging one signature takes far longer than hashing: then few are judged."""

    def start(self) -> Hash:
        """Return a fresh hash for signed content."""

    def digest(self, running: Hash, /) -> bytes:
        """Return what *running* comes to under this key: for HMAC, the tag."""

    def accepts(self, digest: bytes, offered: Sequence[bytes], /) -> bool:
        """Return whether one of the *offered* signatures is right, in constant time."""

    def name(self, digest: bytes, /) -> bytes:
        """Return what the signed content is called under this key; equal for every valid signature of it."""


class Signer(Protocol):
    """What signs: a shared secret's key, or a private key."""

    def sign(self, content: bytes, /) -> bytes:
        """Return the signature of *content*."""


class SigningKey(Key, Signer, Protocol):
    """A key that can also sign."""


class ActiveKey(NamedTuple):
    """A key in force at this moment."""

    key: Key
    place: int
    """Where it stands in the configured list, newest first."""
    test: bool
    """Whether what it signs is test traffic."""


class Keyring(Protocol):
    """The keys of one party."""

    @property
    def party(self) -> str | None:
        """Return whose keys these are, None where a route has one party."""

    @property
    def tests(self) -> bool:
        """Return whether one of the secrets, in force or not, signs test traffic."""

    def active(self, now: float, /) -> Sequence[ActiveKey]:
        """Return the keys in force at unix time *now*; raise ``SecretUnavailable`` if there is none."""


class Facts:
    """What the verifiers have learnt of one request so far. What nobody has learnt yet stands on the class."""

    keys: Sequence[ActiveKey] = ()
    party: str | None = None
    tests: bool = False
    """Whether this party has a secret for test traffic, so that the key decides what is a test."""
    body: bytes = b""
    """The whole body, only for chains that parse it."""
    timestamp: float | None = None
    id: str | None = None
    fields: Mapping[str, str] = NO_FIELDS
    items: tuple[Mapping[str, str], ...] = ()
    key_index: int = -1
    """Which secret matched; -1 while nothing is proven."""
    test: bool = False
    names: tuple[bytes, ...] = ()
    """What the signed content is called under every active key."""
    body_digest: bytes = b""
    """SHA-256 of the body, only for chains that need it."""
    document: object = None
    """The parsed body, once somebody needed it."""
    coverage: Coverage | None = None
    """What is proven of this one request, where that is more than its sender always proves."""
    key_id: str = ""
    """What the request says its key is called, where the sender has several. It chooses among trusted keys, no more."""

    def __init__(self, head: Head) -> None:
        """*head*: of the request that is being judged."""
        self.head = head
        self.texts: dict[str, str] = {}
        """Header text for the template, verbatim: ``01700000000`` is not ``1700000000``."""


class Check(Protocol):
    """One rule at work on one request: fed the body as it arrives, finished once."""

    def update(self, chunk: bytes, /) -> None:
        """Take in the next body bytes."""

    def finish(self, facts: Facts, /) -> None:
        """Judge; raise an ``Answer`` to end the request, or add to *facts*."""


class Verifier(Protocol):
    """One rule. ``open`` sees the head alone and may refuse before a byte of the body is read."""

    def open(self, head: Head, facts: Facts, /) -> Check | None:
        """Raise an ``Answer``, or return the check that waits for the body; None if the head said it all."""


class Claim(NamedTuple):
    """The wish to own a delivery. All keys or none are granted, under a token that the claimant minted."""

    keys: tuple[bytes, ...]
    """What the delivery is called (16 to 32 bytes each, hashed), one per active secret."""
    fingerprint: bytes
    """SHA-256 of the unsigned parts an application decides by, pinned by the first grant."""
    lease: float
    """Seconds until an unsettled claim is void."""
    ttl: float
    """Seconds a committed claim is remembered."""
    token: bytes
    """16 random bytes: only their holder can renew, commit or release."""
    protect: float = 0.0
    """Seconds for which forgetting a done delivery would let a replay or a retry through; a full store may go by it."""


class State(enum.Enum):
    """What a store answers to a claim."""

    GRANTED = "granted"
    IN_FLIGHT = "in_flight"
    DONE = "done"
    ALTERED = "altered"


class Standing(NamedTuple):
    """A store's answer, and since when the delivery is known (unix seconds), where it is."""

    state: State
    first_seen: float | None = None
    checked: bool = True
    """False where the store was down and only this process was asked (``fail_open``)."""


GRANTED: Final = Standing(State.GRANTED)


class Store(Protocol):
    """The duplicate memory. Each verb is one atomic step; the store's own clock decides expiry.

    A delivery is *free* when it is unknown, expired, released, or its lease has lapsed; its fingerprint stays pinned
    until the ttl is over, whatever became of the claim. Claiming and committing again under the same token succeeds
    again, so that a lost answer can be asked for twice. Every verb may raise ``StoreUnavailable``.
    """

    def claim(self, claim: Claim, /) -> Standing:
        """Grant *claim*, or say why not."""

    def renew(self, claim: Claim, /) -> bool:
        """Begin the lease anew; False, changing nothing, if the claim was released, taken over, or is done."""

    def commit(self, claim: Claim, /) -> bool:
        """Remember the delivery as done for ``claim.ttl``; False, changing nothing, if another has one of the keys."""

    def release(self, claim: Claim, /) -> None:
        """Free what is in flight under this token; what is done stays done."""


class AsyncStore(Protocol):
    """The same, awaited."""

    async def claim(self, claim: Claim, /) -> Standing:
        """Grant *claim*, or say why not."""

    async def renew(self, claim: Claim, /) -> bool:
        """Begin the lease anew."""

    async def commit(self, claim: Claim, /) -> bool:
        """Remember the delivery as done."""

    async def release(self, claim: Claim, /) -> None:
        """Free what is in flight under this token."""


class Want(enum.Enum):
    """The wish that carries no data."""

    CHUNK = "chunk"


CHUNK: Final = Want.CHUNK


class Fetch(NamedTuple):
    """The wish that somebody calls ``source`` and returns what it returns, within ``timeout`` seconds."""

    source: Callable[[], object] | Callable[[], Awaitable[object]]
    timeout: float


Wish: TypeAlias = Literal[Want.CHUNK] | Claim | Fetch


class Admitted(NamedTuple):
    """The verdict, and the claim that the door must settle."""

    webhook: Webhook
    claim: Claim | None


# What a wish is answered with depends on the wish: bytes, a Standing, or what a source returned.
Flow: TypeAlias = Generator[Wish, Any, Admitted]


class Delivery(NamedTuple):
    """One HTTP attempt as a sender would make it."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True, eq=False)
class Webhook:
    """A proven delivery. It carries only what a signature covers; what a sender merely claims is under ``unsigned``."""

    provider: str
    route: str
    """The pattern of the route that judged it."""
    method: str
    path: str
    coverage: Coverage
    party: str | None
    received_at: float
    """Unix seconds by our clock."""
    timestamp: float | None
    """Unix seconds, proven."""
    id: str | None
    """The event id, proven."""
    fields: Mapping[str, str]
    """Proven body fields, as the text that was signed."""
    items: tuple[Mapping[str, str], ...]
    """The same per entry of a batch."""
    unsigned: Mapping[str, str]
    """What the sender claims without proof: for logs, never for a decision."""
    test: bool
    key_index: int
    """Which of the configured secrets matched, 0 the newest."""
    duplicates: Literal["checked", "unchecked"] = "unchecked"
    claim: Claim | None = field(default=None, repr=False)
    """What this request holds of the duplicate memory; for ``PostgresStore.commit_in``."""
    captured: Body | bytes | None = field(default=None, repr=False)
    """The captured bytes, proven or not: what ``body``, ``json`` and ``open`` guard."""

    @property
    def age(self) -> float | None:
        """Seconds between the proven timestamp and the arrival; None without a timestamp."""
        return None if self.timestamp is None else self.received_at - self.timestamp

    def _proven(self) -> Body | bytes:
        if self.coverage != "body":
            msg = (
                f"{self.provider}: the signature covers {self.coverage!r}, not the body; "
                "read webhook.fields, or the request itself, knowing that nobody vouches for it"
            )
            raise NotProven(msg)
        if self.captured is None:
            msg = "this webhook carries no body"
            raise NotProven(msg)
        return self.captured

    @property
    def body(self) -> bytes:
        """The proven bytes; raises ``NotProven`` where the signature does not cover the whole body.

        A body that was spooled to disk is readable until the response is finished, and raises ``ValueError`` after.
        """
        proven = self._proven()
        return proven if isinstance(proven, bytes) else proven.whole()

    def json(self) -> object:
        """Return the proven bytes as JSON, whatever the Content-Type says; raise ``NotProven`` or ``ValueError``."""
        return json.loads(self.body)

    def open(self) -> BinaryIO:
        """Return a new binary file over the proven bytes; raise ``NotProven`` as ``body`` does."""
        proven = self._proven()
        return io.BytesIO(proven) if isinstance(proven, bytes) else proven.open()
