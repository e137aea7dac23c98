"""The short way of an ordinary delivery: what the rules of its chain come to for it, worked out when the chain is made.

Most deliveries look alike: every header once, one signature, the key at hand, a small body that comes in one piece. For
these, the rules about the head come down to a few comparisons, and the proof to one hash. The short way takes only what
those rules would accept, and refuses by itself only what has no signature, or a wrong one: whatever is unlike is left
to ``Chain.flow``, which has the reasons. The other rules of the chain are asked as the flow asks them.
``tests/test_shortcut.py`` and ``fuzz/`` hold the two ways against each other.
"""

from __future__ import annotations

import math
import string
from hmac import compare_digest
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from hooklatch.digests import FAST_PACE
from hooklatch.errors import Answer, SignatureMismatch, SignatureMissing
from hooklatch.fields import Header
from hooklatch.keys import HMACKey
from hooklatch.secrets import Ring
from hooklatch.types import NO_FIELDS, Facts, Webhook
from hooklatch.verifiers.overrides import HEADERS
from hooklatch.verifiers.signature import Signature

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hooklatch.template import Parts
    from hooklatch.types import Head, Verifier
    from hooklatch.verifiers import Age, EventId, Length, Method, Timestamp

_WRITTEN_WITH: Final = frozenset(string.ascii_letters + string.digits + "+/=-_")
"""What signatures and times are written with: none of these can end one."""

Opened: TypeAlias = tuple[bytes, bytes, bytes, float | None, str | None]
"""What an ordinary head says: the signature, what is signed before and after the body, the time (unix seconds), the id.
None of it is proven yet. A plain tuple, because a named one costs as much as a hash."""


class Rules(NamedTuple):
    """The rules of a chain: those that the short way knows, as far as they are about the head, and the others."""

    method: Method
    signature: Verifier
    event_id: EventId | None
    timestamp: Timestamp | None
    length: Length
    age: Age | None
    others: Sequence[Verifier]
    """All that are asked as the flow asks them; of the above, those too that are about the body.

    They must be ``late``: refuse nothing before the proof.
    """


class Conditions(NamedTuple):
    """What the door and the chain add to the rules."""

    provider: str
    longest: int
    """Bytes of a body that comes in one piece."""
    spell: Callable[[str], str | bytes]
    """How the world writes the name of a header, given in lower case."""
    plain: bool
    """Whether neither claims nor unsigned values are asked for."""
    alone: bool
    """Whether a request without a signature is nothing but that."""


class Shortcut:
    """The short way through one chain, for one world; ``shortcut`` makes it where there is one."""

    __slots__ = (
        "_after",
        "_alone",
        "_before",
        "_decode",
        "_fits",
        "_id",
        "_keys",
        "_lead",
        "_longest",
        "_mark",
        "_max_age",
        "_max_skew",
        "_methods",
        "_name",
        "_opens",
        "_parse",
        "_provider",
        "_stamp",
        "_strange",
        "_wire",
        "plain",
    )

    def __init__(self, rules: Rules, signature: Signature, place: Header, keys: Ring, conditions: Conditions) -> None:
        """*place*: of the *signature*."""
        spell = conditions.spell
        stamp = rules.timestamp.head if rules.timestamp else None
        name = rules.event_id.head if rules.event_id else None
        self._provider = conditions.provider
        self._alone = conditions.alone
        self._methods = rules.method.methods
        self._longest = min(rules.length.max_body, conditions.longest)
        self._name = spell(place.names[0])
        self._wire = isinstance(self._name, bytes)
        """Whether header values are bytes."""
        self._mark = f"{place.part}{place.assign}" if place.part else ""
        """What the signature stands behind, where it does not have its header to itself."""
        self._lead = ""
        """What the time stands behind, where it is in the header of the signature."""
        self._stamp: str | bytes | None = None
        self._id: str | bytes | None = None
        """The headers of the time and of the id, where they have their own."""
        if isinstance(stamp, Header) and stamp.part:
            self._lead, self._mark = f"{stamp.part}{stamp.assign}", f"{place.separator}{self._mark}"
        elif isinstance(stamp, Header):
            self._stamp = spell(stamp.names[0])
        if isinstance(name, Header):
            self._id = spell(name.names[0])
        twins = {twin for found in (place, stamp, name) if isinstance(found, Header) for twin in found.names[1:]}
        self._strange = frozenset(map(spell, HEADERS | twins | {"transfer-encoding"}))
        """Headers that no ordinary delivery has."""
        self._parse = rules.timestamp.parse if rules.timestamp and stamp else None
        age = rules.age if rules.age and rules.age.head else None
        self._max_age, self._max_skew = (age.max_age, age.max_skew) if age else (math.inf, math.inf)
        self._fits = rules.event_id.fits if rules.event_id else _nothing
        self._decode = signature.offers.one
        self._before = _pattern(signature.template.before)
        self._after = _pattern(signature.template.after) if signature.template.after else None
        self._keys = keys
        self._opens = tuple(verifier.open for verifier in rules.others)
        self.plain = conditions.plain and not self._opens
        """Whether nothing but what was opened goes into the verdict."""

    def open(  # noqa: PLR0911, PLR0912 - each is a way of not being ordinary
        self, found: Mapping[Any, Any], method: str, length: int, now: float
    ) -> Opened | None:
        """Return what an ordinary head says, None for any other; raise ``SignatureMissing`` where it has none.

        *found*: the headers as the world spells them, each of them once; *length*: bytes of the body; *now*: unix
        seconds.
        """
        if method not in self._methods or not found.keys().isdisjoint(self._strange):
            return None
        offer = found.get(self._name)
        if offer is None and self._alone:
            raise SignatureMissing
        if offer is None or length > self._longest:
            return None
        if self._wire:
            offer = offer.decode("latin-1")
        stamp = ""
        if self._lead:
            stamp, mark, offer = offer.partition(self._mark)
            if not mark or not stamp.startswith(self._lead):
                return None
            stamp = stamp[len(self._lead) :]
        elif self._mark:
            if not offer.startswith(self._mark):
                return None
            offer = offer[len(self._mark) :]
        if self._stamp is not None:
            stamp = self._text(found, self._stamp)
        moment = name = None
        if self._id is not None:
            name = self._text(found, self._id)
            if not self._fits(name):
                return None
        try:
            if self._parse is not None:
                moment = self._parse(stamp)
                # Written so that a nan could only ever be refused.
                if not -self._max_skew <= now - moment <= self._max_age:
                    return None
            offered = self._decode(offer)
        except Answer:
            return None
        after = self._after(stamp, name).encode() if self._after else b""
        return offered, self._before(stamp, name).encode(), after, moment, name

    def webhook(self, opened: Opened, body: bytes, method: str, path: str, route: str, now: float) -> Webhook:
        """Return the verdict on a delivery about which there is nothing else to know; raise ``SignatureMismatch``."""
        offered, before, after, moment, name = opened
        for active in self._keys.active(now):
            key: HMACKey = active[0]  # type: ignore[assignment]  # or there were no short way
            if compare_digest(key.tag(before, body, after), offered):
                # By position, in the order of the class: names would cost as much as all else here.
                return Webhook(
                    self._provider,
                    route,
                    method,
                    path,
                    "body",
                    None,
                    now,
                    moment,
                    name,
                    NO_FIELDS,
                    (),
                    NO_FIELDS,
                    active.test,
                    active.place,
                )
        raise SignatureMismatch

    def facts(self, opened: Opened, body: bytes, head: Head) -> Facts:
        """Return what is proven; raise ``SignatureMismatch``, or what another rule raises."""
        offered, before, after, moment, name = opened
        match = None
        names: tuple[bytes, ...] = ()
        keys = self._keys.active(head.received_at)
        for active in keys:
            key: HMACKey = active[0]  # type: ignore[assignment]  # or there were no short way
            tag = key.tag(before, body, after)
            names += (tag,)
            if compare_digest(tag, offered) and match is None:
                match = active
        if match is None:
            raise SignatureMismatch
        facts = Facts(head)
        facts.timestamp, facts.id = moment, name
        facts.key_index, facts.test, facts.names = match.place, match.test, names
        facts.keys, facts.tests = keys, self._keys.tests
        facts.body = body
        for look in self._opens:
            check = look(head, facts)
            if check is not None:
                check.update(body)
                check.finish(facts)
        return facts

    def _text(self, found: Mapping[Any, Any], name: str | bytes) -> str:
        value: str | bytes = found.get(name, "")
        return value.decode("latin-1") if isinstance(value, bytes) else value


def shortcut(rules: Rules, keys: object, conditions: Conditions) -> Shortcut | None:
    """Return the short way through a chain, None where it has none.

    It has one where a shared secret that is at hand signs the body as it stands, perhaps with a time and an id around
    it that have headers of their own, or with a time that stands before the signature in the same header.
    """
    signature = rules.signature
    if not isinstance(signature, Signature) or not isinstance(keys, Ring):
        return None
    place = signature.plain
    stamp = rules.timestamp.head if rules.timestamp else None
    name = rules.event_id.head if rules.event_id else None
    given = {"body", *(["timestamp"] if stamp else []), *(["id"] if name else [])}
    ordinary = (
        isinstance(stamp, Header | None)
        and isinstance(name, Header | None)
        and all(isinstance(active.key, HMACKey) and active.key.pace == FAST_PACE for _, active in keys.entries)
        and all(getattr(other, "late", False) is True for other in rules.others)
        and signature.template.names <= given
        and not (name and name.part)
    )
    if not ordinary or not isinstance(place, Header) or _WRITTEN_WITH & set(place.separator):
        return None
    if isinstance(stamp, Header) and stamp.part and not _beside(stamp, place, rules.timestamp):
        return None
    return Shortcut(rules, signature, place, keys, conditions)


def _nothing(text: str) -> bool:  # noqa: ARG001 - there is no id to be read
    return False


def _beside(stamp: Header, place: Header, rule: Timestamp | None) -> bool:
    """Return whether a time stands as a plain number in the header of the signature at *place*."""
    same = (stamp.names, stamp.separator, stamp.assign) == (place.names, place.separator, place.assign)
    return same and place.part is not None and rule is not None and rule.unit in {"s", "ms"}


def _pattern(parts: Parts) -> Callable[[str, str | None], str]:
    """Return what puts a time and an id into *parts*."""
    places = {"timestamp": "{0}", "id": "{1}"}
    # There are no braces in a template but those around its names.
    texts = [places[part] if isinstance(part, str) else part.decode("utf-8") for part in parts]
    return "".join(texts).format
