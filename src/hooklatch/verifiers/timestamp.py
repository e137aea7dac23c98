"""The timestamp: read by a strict grammar, from the head or from the proven body.

Python's own conversions are laxer than a verdict may be: ``int`` takes ``1_0``, blanks and Arabic digits, ``float``
takes ``nan``, and every comparison with nan is false.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from hooklatch.errors import BodyMalformed, SignatureMalformed, TimestampMalformed, TimestampMissing
from hooklatch.fields import Header, Query

if TYPE_CHECKING:
    from hooklatch.fields import BodyField, HeadField
    from hooklatch.types import Check, Facts, Head, Unit

# How many digits a count may have, and how many it has from 2001 until 2286.
_WIDTHS: Final = {"s": frozenset(range(1, 12)), "ms": frozenset(range(1, 15))}
_USUAL_WIDTHS: Final = {"s": frozenset({10}), "ms": frozenset({13})}
_PER_SECOND: Final = {"s": 1, "ms": 1000}
_RFC3339: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}:\d{2})(\.\d{1,9})?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))", re.ASCII
)
# Never by the locale, which may call days and months otherwise.
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_IMF_FIXDATE: Final = re.compile(
    rf"({'|'.join(_DAYS)}), (\d{{2}}) ({'|'.join(_MONTHS)}) (\d{{4}} \d{{2}}:\d{{2}}:\d{{2}}) GMT", re.ASCII
)


class Timestamp:
    """Reads the timestamp at *place* into ``facts``; it is judged by ``Age``.

    *unit*: ``s`` or ``ms`` since 1970, ``rfc3339`` text, or ``http``, a date as in RFC 9110; *needed*: whether its
    absence refuses; *tight*: whether only the width of today's timestamps counts, because it touches text of open
    grammar in the signed content.
    """

    late = True
    __slots__ = ("_body", "_needed", "_per", "_widths", "head", "unit")

    def __init__(self, place: HeadField | BodyField, unit: Unit, *, needed: bool, tight: bool = False) -> None:
        """*place*: where it stands."""
        self.head = place if isinstance(place, Header | Query) else None
        self._body = None if isinstance(place, Header | Query) else place
        self._needed = needed
        self.unit = unit
        self._per = _PER_SECOND.get(unit, 1)
        self._widths = (_USUAL_WIDTHS if tight else _WIDTHS).get(unit, frozenset())

    def open(self, head: Head, facts: Facts) -> Check | None:
        """Read a timestamp in the head; raise ``TimestampMissing`` or ``TimestampMalformed``."""
        place = self.head
        if place is None:
            return self
        try:
            found = place.read(head)
        except SignatureMalformed as bad:
            if isinstance(place, Header) and place.part is not None:
                raise
            raise TimestampMalformed from bad
        if not found:
            if self._needed:
                raise TimestampMissing
            return None
        text = found[0]
        facts.timestamp = self.parse(text)
        facts.texts["timestamp"] = text
        return None

    def update(self, chunk: bytes) -> None:
        """Do nothing: the flow holds the body for chains that parse."""

    def finish(self, facts: Facts) -> None:
        """Read a timestamp in the proven body; raise ``TimestampMissing`` or ``TimestampMalformed``."""
        try:
            found = None if self._body is None else self._body.find(facts)
            if found is not None:
                facts.timestamp = self.parse(found)
                return
        except BodyMalformed as bad:
            if not self._needed:
                return
            raise TimestampMalformed(str(bad)) from bad
        except TimestampMalformed:
            if not self._needed:
                return
            raise
        if self._needed:
            raise TimestampMissing

    def parse(self, text: str) -> float:
        """Return *text* as unix seconds; raise ``TimestampMalformed``."""
        if len(text) in self._widths and text.isdecimal() and text.isascii() and text[0] != "0":
            return int(text) / self._per
        if self.unit == "http":
            return _from_http(text)
        if self.unit == "rfc3339":
            return _from_rfc3339(text)
        msg = "the timestamp is no count of seconds or milliseconds, as the sender writes it"
        raise TimestampMalformed(msg)


def _from_rfc3339(text: str) -> float:
    match = _RFC3339.fullmatch(text)
    if match is None:
        msg = "the timestamp is not RFC 3339"
        raise TimestampMalformed(msg)
    date, time, fraction, sign, hours, minutes = match.groups()
    try:
        moment = datetime.fromisoformat(f"{date}T{time}").replace(tzinfo=UTC)
        if sign:
            offset = timedelta(hours=int(hours), minutes=int(minutes))
            moment = moment - offset if sign == "+" else moment + offset
        return moment.timestamp() + float(fraction or 0)
    except (ValueError, OverflowError) as bad:
        msg = "the timestamp names no moment"
        raise TimestampMalformed(msg) from bad


def _from_http(text: str) -> float:
    """Return *text*, an IMF-fixdate (RFC 9110, section 5.6.7), as unix seconds; raise ``TimestampMalformed``."""
    match = _IMF_FIXDATE.fullmatch(text)
    if match is None:
        msg = "the timestamp is no HTTP date"
        raise TimestampMalformed(msg)
    day, date, month, rest = match.groups()
    try:
        moment = datetime.strptime(f"{date} {_MONTHS.index(month) + 1} {rest}", "%d %m %Y %H:%M:%S").replace(tzinfo=UTC)
    except ValueError as bad:
        msg = "the timestamp names no moment"
        raise TimestampMalformed(msg) from bad
    if _DAYS[moment.weekday()] != day:
        msg = "the timestamp names another day of the week than its date has"
        raise TimestampMalformed(msg)
    return moment.timestamp()


def written(moment: float, unit: Unit) -> str:
    """Return unix time *moment* (seconds) as a sender writes it in *unit*."""
    if unit == "http":
        found = datetime.fromtimestamp(moment, UTC)
        return f"{_DAYS[found.weekday()]}, {found:%d} {_MONTHS[found.month - 1]} {found:%Y %H:%M:%S} GMT"
    if unit == "rfc3339":
        return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(int(moment * 1000)) if unit == "ms" else str(int(moment))
