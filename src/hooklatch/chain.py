"""One route's rules in their order, and the flow that asks them.

``Chain.flow`` is pure: a generator that yields wishes (body bytes, a claim, a call of the secrets' source) and returns
``Admitted`` or raises an ``Answer``. Who grants the wishes, and how, is the business of ``drive`` and the doors.
"""

from __future__ import annotations

import hashlib
import math
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypedDict

from hooklatch import cors as cors_policy
from hooklatch.direct import Direct
from hooklatch.errors import (
    CHALLENGE,
    NO_STORE,
    Answer,
    BodyTooLarge,
    ConfigError,
    Duplicate,
    DuplicateAltered,
    DuplicateInFlight,
    DuplicateRefused,
    Rejected,
    Unauthenticated,
)
from hooklatch.remote_keys import Remote
from hooklatch.secrets import Source
from hooklatch.shortcut import Conditions, shortcut
from hooklatch.types import CHUNK, Admitted, Claim, Facts, Standing, State, Webhook

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hooklatch.cors import CORS
    from hooklatch.errors import Headers
    from hooklatch.fetching import Fetcher
    from hooklatch.fields import HeadField
    from hooklatch.shortcut import Rules, Shortcut
    from hooklatch.types import Check, Coverage, Flow, Hash, Head, Keyring, Verifier
    from hooklatch.verifiers.user_agent import OnTest, OtherAgents

OnDuplicate = Literal["acknowledge", "reject", "run"]
DuplicateKey = Literal["id", "signed", "body"]


class Options(TypedDict, total=False):
    """What *I* accept on a route. Every home of a route option takes these names: ``Provider.chain``, files, docs."""

    methods: Sequence[str]
    """Accepted methods, upper case."""
    max_age: float | None
    """Seconds a proven timestamp may lie in the past; None switches the age check off, and says so at start-up."""
    max_skew: float
    """Seconds a proven timestamp may lie ahead of our clock."""
    max_body: int
    """Largest body, bytes."""
    body_timeout: float
    """Seconds within which the whole body must have arrived."""
    refusal_status: int
    """Status of an unauthenticated request: 401, or 400 or 403 where the sender wants that."""
    public_url: str
    """The URL the sender was given, without query; for schemes that sign it."""
    fetch: Fetcher
    """How the keys that a sender publishes are read: a callable of the URL that returns bytes, called in a thread;
    default: ``hooklatch.fetching.fetch``, a strict GET over HTTPS."""
    expect: Mapping[str, str]
    """Values that this sender's proof must be bound to, by the names of the record's ``expects``: a topic, an audience.
    """
    cors: CORS | Sequence[str] | None
    """Origins from which a browser may post."""
    test_agents: Sequence[str]
    """User agents of test traffic: whole values, or prefixes that end in ``*``."""
    on_test: OnTest
    """``acknowledge`` proven test traffic with 200 without running the application, or ``mark`` it."""
    other_agents: OtherAgents
    """``accept`` or ``reject`` agents that are neither the sender's nor test agents."""
    on_duplicate: OnDuplicate
    """``acknowledge`` a processed delivery with 200, ``reject`` it with 409, or ``run`` the application anyway."""
    duplicate_key: DuplicateKey
    """What makes a delivery the same: the proven event ``id``, the ``signed`` content, or the ``body``."""
    duplicate_ttl: float
    """Seconds a processed delivery is remembered."""
    lease: float
    """Seconds after which a claim that nobody settled is void: longer than the slowest handler."""
    handshake: str | bool
    """Answer the requests this sender makes beside its deliveries: True, or the text that they must show."""
    on_secret: Callable[[str], object]
    """Called with the secret that a handshake brings to a route made with ``PENDING``, once; must not block."""
    extra: Sequence[Verifier]
    """Further verifiers, asked after the built-in ones."""
    name: str
    """Names this route's duplicate memory, so that it survives a renamed path; default: provider and route."""


class Identity(NamedTuple):
    """What a chain signs by: the recipe as text, and digests of its secrets, to notice one secret with two recipes."""

    recipe: str
    secrets: frozenset[bytes]


NO_IDENTITY: Final = Identity("", frozenset())

FINGERPRINTS: Final = 256
"""How many a chain keeps at hand: deliveries of one sender look much alike."""

_GRANTED: Final = State.GRANTED


class Chain(Direct):
    """The ordered verifiers of one route, and what follows from their verdict. Made by ``Provider.chain``."""

    def __init__(
        self,
        verifiers: Sequence[Verifier],
        *,
        provider: str,
        keys: Keyring | Source | Remote,
        coverage: Coverage,
        max_body: int,
        body_timeout: float = 30.0,
        pace: int = 1 << 18,
        parses: bool = False,
        refusal_status: int = 401,
        cors: CORS | None = None,
        on_duplicate: OnDuplicate = "acknowledge",
        duplicate_key: DuplicateKey = "signed",
        duplicate_ttl: float = 86400.0,
        protect: float = 86400.0,
        lease: float = 120.0,
        dispatch: Sequence[str] = (),
        apart: Sequence[str] = (),
        unsigned: Mapping[str, HeadField] | None = None,
        name: str = "",
        notes: Sequence[str] = (),
        timed: bool = False,
        identity: Identity = NO_IDENTITY,
        beside: Verifier | None = None,
        rules: Rules | None = None,
        bare_refusals: bool = False,
    ) -> None:
        """Raise ``ConfigError`` for figures that mean nothing, or rules that prove nothing."""
        if not any(getattr(verifier, "proves", False) for verifier in verifiers):
            msg = f"{provider}: no verifier of this chain proves anything, so it would accept everybody"
            raise ConfigError(msg)
        positive(provider, body_timeout=body_timeout, duplicate_ttl=duplicate_ttl, lease=lease)
        if refusal_status not in {400, 401, 403}:
            msg = f"{provider}: refusal_status={refusal_status!r} must be 400, 401 or 403; senders misread other codes"
            raise ConfigError(msg)
        if on_duplicate not in {"acknowledge", "reject", "run"}:
            msg = f"{provider}: on_duplicate={on_duplicate!r} is unknown; say 'acknowledge', 'reject' or 'run'"
            raise ConfigError(msg)
        self.provider = provider
        self.coverage: Coverage = coverage
        self.verifiers = tuple(verifiers)
        self.max_body = max_body
        self.body_timeout = body_timeout
        self.pace = pace
        self.parses = parses
        self.refusal_status = refusal_status
        self.cors = cors_policy.policy(cors)
        self.on_duplicate = on_duplicate
        self.duplicate_key = duplicate_key
        self.duplicate_ttl = max(duplicate_ttl, lease)
        self.protect = protect
        self.lease = lease
        self.dispatch = tuple(name.lower() for name in dispatch)
        self.apart = tuple(name.lower() for name in apart)
        self._decisive = ("content-type", *self.dispatch)
        self._spaces: dict[tuple[str, str, bool], Hash] = {}
        self._fingerprints: dict[tuple[object, ...], tuple[Hash, bytes]] = {}
        self.unsigned = dict(unsigned or {})
        self._unsigned = tuple(self.unsigned.items())
        self.name = name
        self.notes = tuple(notes)
        self.timed = timed
        self.identity = identity
        self._source = keys if isinstance(keys, Source) else None
        self._remote = keys if isinstance(keys, Remote) else None
        self._ring: Keyring | None = None if isinstance(keys, Source | Remote) else keys
        self._opens = tuple(verifier.open for verifier in self.verifiers)
        self._beside = beside
        self.bare_refusals = bare_refusals
        self._rules = rules

    def __repr__(self) -> str:
        """Return the provider and the route's name; never a secret."""
        return f"<Chain {self.provider}{f' {self.name!r}' if self.name else ''}>"

    def shortcut(self, spell: Callable[[str], str | bytes], longest: int) -> Shortcut | None:
        """Return the short way of ordinary deliveries, None where this chain has none.

        *spell*: how the door's world writes the name of a header, given in lower case; *longest*: bytes of a body.
        """
        if self._rules is None:
            return None
        plain = self.on_duplicate == "run" and not self.unsigned
        conditions = Conditions(self.provider, longest, spell, plain, alone=self._beside is None)
        return shortcut(self._rules, self._ring, conditions)

    def flow(self, head: Head) -> Flow:  # noqa: PLR0912 - the order is the promise, so it is read in one place
        """Judge one request: yield wishes, return ``Admitted``, or raise an ``Answer`` that is ready to be sent."""
        facts = Facts(head)
        checks: list[Check] = []
        try:
            if self._beside is not None and (alone := self._beside.open(head, facts)) is not None:
                checks.append(alone)  # an unsigned handshake: this check ends the request, whatever it is
            for look in () if checks else self._opens:
                check = look(head, facts)
                if check is not None:
                    checks.append(check)
            remote = self._remote
            if self._ring is not None:
                _take(self._ring, facts)
            elif self._source is not None:
                _take(self._source.ring((yield self._source.wish(head))), facts)
            elif remote is not None and remote.early:
                _take(remote.known(facts) or remote.ring(facts, (yield remote.wish(facts))), facts)
            size = 0
            pieces: list[bytes] = []
            while chunk := (yield CHUNK):
                size += len(chunk)
                if size > self.max_body:
                    msg = f"more than {self.max_body} bytes (max_body)"
                    raise BodyTooLarge(msg)
                if self.parses:
                    pieces.append(chunk)
                for check in checks:
                    check.update(chunk)
            if self.parses:
                facts.body = b"".join(pieces)
            if remote is not None and not remote.early:
                # Which key it was stands in the body; until here nothing needed one.
                _take(remote.known(facts) or remote.ring(facts, (yield remote.wish(facts))), facts)
            for check in checks:
                check.finish(facts)
            webhook, claim = self.conclude(facts)
            # The claim is the last wish, so that nothing can fail between its grant and the door that settles it.
            return Admitted(webhook, None) if claim is None else self.admit(webhook, claim, (yield claim))
        except Answer as answer:
            self.dress(answer, self.lines_for(head))
            raise

    def conclude(self, facts: Facts) -> tuple[Webhook, Claim | None]:
        """Return what the application gets, and the wish to own it, None where duplicates are its own affair."""
        webhook = self._webhook(facts)
        return webhook, None if self.on_duplicate == "run" else self.claim_for(facts)

    def admit(self, webhook: Webhook, claim: Claim, standing: Standing) -> Admitted:
        """Return the verdict on what the store says of *claim*; raise the answer to what is known already."""
        if standing.state is not _GRANTED:
            raise self._known(standing)
        webhook.claim = claim
        webhook.duplicates = "checked" if standing.checked else "unchecked"
        return Admitted(webhook, claim)

    def dress(self, answer: Answer, lines_for_all: Headers) -> None:
        """Give *answer* this route's status and header lines: the one place where an answer of a route is finished.

        *lines_for_all*: those that every answer to this request carries.
        """
        headers = answer.headers if NO_STORE in answer.headers else (*answer.headers, NO_STORE)
        if isinstance(answer, Unauthenticated):
            answer.status = self.refusal_status
            if self.refusal_status == Unauthenticated.status:
                headers += (CHALLENGE,)
        if self.bare_refusals and isinstance(answer, Rejected):
            answer.bare = True
        answer.headers = headers + lines_for_all

    def lines_for(self, head: Head) -> tuple[tuple[str, str], ...]:
        """Return the header lines that every answer to *head* carries, the application's own included."""
        return self.cors.answer(head) if self.cors else ()

    def claim_for(self, facts: Facts) -> Claim:
        """Return the wish to own this delivery: what it is called, and what must not differ when it comes again."""
        kind: str = self.duplicate_key
        values: Sequence[bytes]
        if kind == "id" and facts.id is not None:
            values = (facts.id.encode("utf-8"),)
        elif kind == "body":
            values = (facts.body_digest,)
        else:
            kind, values = "signed", facts.names
        space = self._space(facts, kind)
        keys: tuple[bytes, ...] = ()
        for value in values:
            name = space.copy()
            name.update(value)
            keys += (name.digest(),)
        # By position, in the order of the class: names would cost as much as all else here.
        return Claim(keys, self._fingerprint(facts), self.lease, self.duplicate_ttl, os.urandom(16), self.protect)

    def _space(self, facts: Facts, kind: str) -> Hash:
        """Return a hash that has taken in the namespace: nothing in it is the requester's to choose."""
        head = facts.head
        common = facts.party is None and not self.apart
        place = (head.route, kind, facts.test)
        known = self._spaces.get(place) if common else None
        if known is not None:
            return known
        parts = [self.name or f"{self.provider} {head.route}", bool(self.name), facts.party, facts.test, kind]
        parts += [line for name in self.apart for line in head.headers.all(name)]
        framed = repr(parts).encode("utf-8", "surrogatepass")
        space = hashlib.sha256(len(framed).to_bytes(4, "big") + framed)
        if common:
            self._spaces[place] = space
        return space

    def _fingerprint(self, facts: Facts) -> bytes:
        """Return the SHA-256 of the unsigned parts by which an application decides."""
        head = facts.head
        parts: tuple[object, ...] = (head.method, head.query)
        for name in self._decisive:
            parts += (tuple(head.headers.all(name)),)
        known = self._fingerprints.get(parts)
        if known is None:
            if len(self._fingerprints) >= FINGERPRINTS:
                self._fingerprints.clear()
            running: Hash = hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass"))
            known = self._fingerprints[parts] = (running, running.digest())
        running, fingerprint = known
        if self.coverage == "body":
            return fingerprint
        running = running.copy()
        running.update(facts.body_digest)
        return running.digest()

    def _known(self, standing: Standing) -> Answer:
        if standing.state is State.IN_FLIGHT:
            return DuplicateInFlight()
        if standing.state is State.ALTERED:
            return DuplicateAltered("the method, the query, the Content-Type or a dispatch header differs")
        moment = datetime.fromtimestamp(standing.first_seen or 0, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        kind = DuplicateRefused if self.on_duplicate == "reject" else Duplicate
        answer = kind(f"first seen {moment}")
        answer.headers = (("hooklatch-duplicate", moment),)
        return answer

    def _webhook(self, facts: Facts) -> Webhook:
        head = facts.head
        unsigned = {}
        for name, place in self._unsigned:
            claimed = _claimed(place, head)
            if claimed:
                unsigned[name] = claimed
        # By position, in the order of the class: names would cost as much as all else here.
        return Webhook(
            self.provider,
            head.route,
            head.method,
            head.path,
            facts.coverage or self.coverage,
            facts.party,
            head.received_at,
            facts.timestamp,
            facts.id,
            facts.fields,
            facts.items,
            unsigned,
            facts.test,
            facts.key_index,
        )


def _take(keys: Keyring, facts: Facts) -> None:
    facts.keys = keys.active(facts.head.received_at)
    facts.party = keys.party
    facts.tests = keys.tests


def _claimed(place: HeadField, head: Head) -> str:
    """Return what the sender claims at *place*, as one text: it is for logs."""
    try:
        return ", ".join(place.read(head))
    except Answer:
        return ""


def positive(provider: str, **figures: float) -> None:
    """Raise ``ConfigError`` unless every one of the *figures* is a finite number over 0."""
    for setting, value in figures.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
            msg = f"{provider}: {setting}={value!r} must be a finite number over 0"
            raise ConfigError(msg)
