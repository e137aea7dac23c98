"""From text to values: ``--option key=value``, moments and URLs.

An option is a fact of the sender's record or a rule of the route; a name that is both belongs to the route. What a
proof must be bound to is written ``expect.NAME=value``; ``version=V`` is another record of the same sender, called
``NAME_V``. The type that the record or ``Options`` declares for a name decides how its value is read.
"""

from __future__ import annotations

import argparse
import dataclasses
import re
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

from hooklatch.chain import Options
from hooklatch.cli import UsageError
from hooklatch.fields import FormField, Header, JSONField, Query
from hooklatch.provider import Provider
from hooklatch.providers import provider

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hooklatch.fields import Field

OVER: Final[tuple[str, ...]] = ("fields", "signature", "every", "neighbours", "join")
"""What ``Provider.over`` takes, for senders whose signature stands in the body."""

EXPECT: Final = "expect."
"""Before the name of a value that the sender's proof must be bound to."""

END_OF_TIME: Final = 253_402_300_799
"""The last second of the year 9999."""

_NUMBER: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,9})?")
_URL: Final = re.compile(r"(https?://[!-~]+|/[!-~]*)")
_TRUTH: Final = {"true": True, "yes": True, "false": False, "no": False}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--provider`` and ``--option`` to *parser*."""
    parser.add_argument("--provider", required=True, metavar="NAME", help="a name that 'hooklatch providers' lists")
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a fact of the sender or a rule of the route, such as encoding=base64, version=v1 or max_age=none; may be "
        "repeated",
    )


def apply(record: Provider, given: Iterable[str]) -> tuple[Provider, Options]:
    """Return *record* with the facts among the *given* ``key=value`` texts, and the rules of the route among them.

    Raises ``UsageError`` or ``ConfigError``.
    """
    texts = _split(given)
    if "version" in texts:
        record = provider(f"{record.name}_{texts.pop('version')}")
    expect = {name.removeprefix(EXPECT): texts.pop(name) for name in list(texts) if name.startswith(EXPECT)}
    rules = {name: hint for name, hint in _hints(Options.__annotations__).items() if _readable(hint)}
    declared = {one.name: one.type for one in dataclasses.fields(record)}
    facts = {name: hint for name, hint in _hints(declared).items() if _readable(hint) and name not in rules}
    header = _signature_header(record)
    inside = isinstance(record.places[0], JSONField | FormField) and "signed" not in texts
    known = {
        "version",
        *rules,
        *facts,
        *(f"{EXPECT}{name}" for name in record.expects),
        *(OVER if inside else ()),
        *(("header",) if header else ()),
    }
    unknown = sorted(texts.keys() - known)
    if unknown:
        msg = f"{record.name} has no option {', '.join(unknown)}; options are {', '.join(sorted(known))}"
        raise UsageError(msg)
    over = {name: texts.pop(name) for name in OVER if inside and name in texts}
    if header and "header" in texts:
        record = _with_header(record, header, texts.pop("header"))
    route = {name: value(name, texts.pop(name), rules[name]) for name in rules.keys() & texts.keys()}
    if expect:
        route["expect"] = expect
    record = record.using(**{name: value(name, text, facts[name]) for name, text in texts.items()})
    return _over(record, over) if over else record, cast("Options", route)


def value(name: str, text: str, hint: str) -> Any:  # noqa: ANN401 - its type is what *hint* says
    """Return *text* as the type that *hint* (an annotation) declares for the option *name*; raise ``UsageError``."""
    words = _words(hint)
    if text == "none" and "None" in words:
        return None
    if "Field" in words:
        return _place(name, text)
    if words & {"Sequence", "tuple"}:
        return tuple(item.strip() for item in text.split(",")) if text.strip() else ()
    if "bool" in words and ("str" not in words or text.lower() in _TRUTH):
        return _truth(name, text)
    if words & {"int", "float"}:
        return _number(name, text, words)
    return text


def moment(text: str) -> float:
    """Return *text* as unix seconds; for argparse's ``type=``."""
    if not _NUMBER.fullmatch(text) or not 0 <= float(text) <= END_OF_TIME:
        msg = f"{text!r} is no unix time: say seconds since 1970, such as 1700000000"
        raise argparse.ArgumentTypeError(msg)
    return float(text)


def address(text: str) -> str:
    """Return *text* if it can be the URL of a request, absolute or from its first slash; raise ``UsageError``."""
    try:
        good = _URL.fullmatch(text) is not None and not urlsplit(text).fragment
    except ValueError:
        good = False
    if not good:
        msg = f"url {text!r}: give an http(s) URL, or a path that begins with a slash, percent-encoded as it was sent"
        raise UsageError(msg)
    return text


def _split(given: Iterable[str]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for item in given:
        name, equals, text = item.partition("=")
        if not equals or not name or any("\ud800" <= character <= "\udfff" for character in item):
            msg = f"--option {item!r}: write key=value, in UTF-8"
            raise UsageError(msg)
        if name in texts:
            msg = f"--option {name}: given twice; a list is written with commas"
            raise UsageError(msg)
        texts[name] = text
    return texts


def _hints(annotations: Mapping[str, object]) -> dict[str, str]:
    """Return *annotations* as the text in the source."""
    return {name: str(getattr(hint, "__forward_arg__", hint)) for name, hint in annotations.items()}


def _readable(hint: str) -> bool:
    return not _words(hint) & {"Mapping", "Verifier", "Callable", "Fetcher", "Published", "HeadField"}


def _signature_header(record: Provider) -> Header | None:
    headers = [place for place in record.places if isinstance(place, Header)]
    return headers[0] if len(headers) == 1 else None


def _with_header(record: Provider, old: Header, name: str) -> Provider:
    """Return *record* with the signature in the header *name*, and with it whatever else stands in the same header."""

    def moved(place: Field | None) -> Field | None:
        if not isinstance(place, Header) or place.names != old.names:
            return place
        return Header(name, part=place.part, many=place.many, separator=place.separator, assign=place.assign)

    places = tuple(new for place in record.places if (new := moved(place)) is not None)
    return record.using(
        signature=places if len(places) > 1 else places[0], timestamp=moved(record.timestamp), id=moved(record.id)
    )


def _over(record: Provider, texts: Mapping[str, str]) -> Provider:
    fields: Sequence[str] = record.template.fields
    if "fields" in texts:
        fields = value("fields", texts["fields"], "Sequence[str]")
    place = record.places[0]
    signature = ".".join(place.path) if isinstance(place, JSONField) else getattr(place, "name", "")
    return record.over(
        *fields,
        signature=texts.get("signature", signature),
        every=value("every", texts["every"], "float | None") if "every" in texts else record.every,
        neighbours=value("neighbours", texts["neighbours"], "int") if "neighbours" in texts else record.neighbours,
        join=texts.get("join", ""),
    )


def _words(hint: str) -> set[str]:
    return set(re.findall(r"\w+", hint))


def _truth(name: str, text: str) -> bool:
    if text.lower() in _TRUTH:
        return _TRUTH[text.lower()]
    msg = f"{name}={text!r}: say true or false"
    raise UsageError(msg)


def _number(name: str, text: str, words: set[str]) -> float:
    if _NUMBER.fullmatch(text) and ("float" in words or "." not in text):
        return float(text) if "." in text else int(text)
    kind = "a number" if "float" in words else "a whole number"
    msg = f"{name}={text!r}: say {kind}{', or none' if 'None' in words else ''}"
    raise UsageError(msg)


def _place(name: str, text: str) -> Field:
    kind, _, rest = text.partition(":")
    match kind:
        case "header":
            return Header(rest)
        case "query" if rest:
            return Query(rest)
        case "json" if rest:
            return JSONField(*rest.split("."))
        case "form":
            return FormField(rest)
    msg = f"{name}={text!r}: say header:NAME, query:NAME, json:STEP.STEP or form:NAME"
    raise UsageError(msg)
