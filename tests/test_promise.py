"""docs/promise.md: its table of spans agrees with the code, its figures too, and its examples run."""

from __future__ import annotations

import contextlib
import inspect
import io
import logging
import re
from pathlib import Path

import pytest

import senders
from hooklatch import assemble, providers
from hooklatch.chain import Options
from hooklatch.errors import DuplicateInFlight, StoreUnavailable
from hooklatch.provider import Provider
from hooklatch.stores import postgres, redis, sqlite
from services import postgres_server

DOCS = Path(__file__).parent.parent / "docs"
PAGE = (DOCS / "promise.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", PAGE, re.DOTALL)
KNOWN_BY = {"id": "event id", "signed": "signed content", "body": "body"}


def span(seconds: float) -> str:
    """Return *seconds* in the largest unit that divides them."""
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


def row(title: str, record: Provider) -> str:
    nothing = Options()
    tolerance = assemble._tolerance(record, nothing, [])
    window = sum(tolerance) if tolerance else (2 * record.neighbours + 1) * record.every if record.every else None
    good = "as long as the secret" if window is None else span(window)
    attempts = span(record.retries) if record.retries else "one attempt"
    remembered = span(max(assemble._memory(record, nothing, tolerance).ttl, 120))
    return f"| {title} | {good} | {attempts} | {remembered} | {KNOWN_BY[assemble._duplicate_key(record, nothing)]} |"


def test_the_table_of_spans_is_what_the_code_computes() -> None:
    expected = []
    for name in senders.by_secret():
        record = providers.provider(name)
        expected.append(row(f"`{name}`", record))
        if name == "mechanic":
            timed = record.over("customer_id", signature="customer_id_signature", every=60)
            expected.append(row("`mechanic` with `every=60`", timed))
    head, table = PAGE.split("| sender | a signature is good for |", 1)[1].split("|---|---|---|---|---|\n", 1)
    assert head == " tries again for | remembered for | known by |\n"
    assert table.split("\n\n", 1)[0].splitlines() == expected


def test_the_table_is_what_a_chain_goes_by() -> None:
    """The rows above are computed without secrets; for a record of each kind, a whole chain says the same."""
    secret = "v1,whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    for name in ("github", "mechanic", "momento", "speckle", "standard_webhooks", "stripe"):
        chain = providers.provider(name).chain(secret)
        remembered, known_by = span(chain.duplicate_ttl), KNOWN_BY[chain.duplicate_key]
        assert re.search(rf"^\| `{name}` \|.*\| {remembered} \| {known_by} \|$", PAGE, re.MULTILINE)


def test_the_figures_in_the_text_are_those_of_the_code() -> None:
    chain = providers.GITHUB.chain("a secret of sixteen")
    assert f"`lease=` ({chain.lease:g} seconds)" in PAGE
    stores = (sqlite.SQLiteStore, redis.RedisStore, postgres.PostgresStore)
    defaults = [inspect.signature(store).parameters["timeout"].default for store in stores]
    assert len(set(defaults)) == 1
    assert f"at most {defaults[0]:g} seconds a call" in PAGE
    assert f"| in flight | 409 | `Retry-After: {dict(DuplicateInFlight.headers)['retry-after']}` |" in PAGE
    assert f"| 503 | `Retry-After: {dict(StoreUnavailable.headers)['retry-after']}` |" in PAGE


def test_every_example_is_tried_here() -> None:
    assert len(EXAMPLES) == PAGE.count("```python") == 2


@pytest.mark.parametrize(("code", "output"), EXAMPLES, ids=["commit_in", "forget"])
def test_an_example_runs_and_prints_what_it_says(
    code: str, output: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, logger="hooklatch")
    monkeypatch.chdir(tmp_path)
    if "DATABASE_URL" in code:
        import psycopg

        monkeypatch.setenv("DATABASE_URL", postgres_server().url)
        with psycopg.connect(postgres_server().url) as connection:
            connection.execute("DROP TABLE IF EXISTS paid, hooklatch_delivery")
            connection.execute("CREATE TABLE paid (event text PRIMARY KEY)")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "promise.md", "exec"), {"__name__": "example"})
    assert printed.getvalue() == output
    if "DATABASE_URL" in code:
        with psycopg.connect(postgres_server().url) as connection:
            assert connection.execute("SELECT event FROM paid").fetchall() == [("evt_1",)]


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)]+)\)", PAGE))))
def test_every_link_leads_somewhere(target: str) -> None:
    file, _, heading = target.partition("#")
    text = (DOCS / file).read_text() if file else PAGE
    headings = {
        re.sub(r"[^\w -]", "", line).strip().lower().replace(" ", "-")
        for line in re.findall(r"^#+ (.*)", text, re.MULTILINE)
    }
    assert not heading or heading in headings
