"""A sender that is not in the catalogue takes one file of facts, as docs/add-a-provider.md shows; the test obeys it."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hooklatch import Provider
from worlds import NOW, Endpoint

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "add-a-provider.md").read_text()

MakeEndpoint = Callable[..., Endpoint]


def block(language: str, holding: str) -> str:
    """Return the one block of the page that is of this language and holds a text."""
    (found,) = [code for code in re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL) if holding in code]
    return str(found)


def record_of_the_page() -> Provider:
    namespace: dict[str, object] = {}
    exec(compile(block("python", "ACME = Provider("), "acme.py", "exec"), namespace)
    record = namespace["ACME"]
    assert isinstance(record, Provider)
    return record


def test_the_page_describes_a_sender_that_verifies_and_signs(endpoint: MakeEndpoint) -> None:
    acme = record_of_the_page()
    made = endpoint(routes={"/hook": acme.chain("a secret of sixteen")})
    genuine = acme.sign(b'{"ok":true}', secret="a secret of sixteen", id="evt_1", at=NOW, url="/hook")
    assert made.post(genuine._replace(body=b'{"ok":false}')).status == 401
    assert made.post(genuine).status == 200
    assert (made.last.id, made.last.timestamp, made.last.provider) == ("evt_1", NOW, "acme")
    assert made.post(genuine).header("hooklatch-duplicate")
    stale = acme.sign(b"{}", secret="a secret of sixteen", id="evt_2", at=NOW - 301, url="/hook")
    assert (made.post(stale).status, made.reason) == (401, "timestamp_expired")


def test_the_vectors_of_the_page_were_computed_outside_of_hooklatch() -> None:
    genuine, altered = json.loads(f"[{block('json', 'acme-01')}]")
    expected = hmac.new(b"a secret of sixteen", b'evt_1.1700000000.{"ok":true}', hashlib.sha256).hexdigest()
    assert genuine["headers"]["X-Acme-Signature"] == f"t=1700000000,v1={expected}"
    assert (genuine["valid"], altered["valid"]) == (True, False)
    assert altered["headers"] == genuine["headers"]
    signed = record_of_the_page().sign(b'{"ok":true}', secret="a secret of sixteen", id="evt_1", at=NOW)
    assert signed.headers["x-acme-signature"] == f"t=1700000000,v1={expected}"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what the page talks about."""
    for folder in ("src", "tests", "tools", "docs"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def insert_sorted(text: str, line: str, alike: str) -> str:
    """Return *text* with *line* before the first of the lines *alike* that sorts after it."""
    after = next(found for found in re.findall(alike, text, re.MULTILINE) if found > line.rstrip("\n"))
    return text.replace(f"{after}\n", f"{line}{after}\n", 1)


def test_the_steps_of_the_page_lead_to_a_tested_sender_with_a_page(tree: Path) -> None:
    environ = {**os.environ, "PYTHONPATH": str(tree / "src")}

    def python(*argv: str) -> str:
        done = subprocess.run(
            [sys.executable, *argv], cwd=tree, env=environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    package = tree / "src" / "hooklatch" / "providers"
    (package / "acme.py").write_text(block("python", "ACME = Provider("))
    names = (package / "__init__.py").read_text()
    names = insert_sorted(names, block("python", "import ACME"), r"^    from hooklatch\.providers\..*$")
    names = insert_sorted(names, block("python", '    "ACME",'), r'^    "[A-Z].*$')
    (package / "__init__.py").write_text(names)
    vectors = tree / "tests" / "data" / "vectors.json"
    vectors.write_text(json.dumps(json.loads(vectors.read_text()) + json.loads(f"[{block('json', 'acme-01')}]")))
    python("tools/generate_provider_pages.py")
    assert "documentation: read in the sender's documentation" in (tree / "docs/providers/acme.md").read_text()
    assert "| [acme](acme.md) | documentation |" in (tree / "docs/providers/README.md").read_text()
    assert "the event id, '.', the timestamp, '.', the raw body" in python("-m", "hooklatch", "providers", "acme")
    files = [f"tests/test_{name}.py" for name in ("vectors", "house", "cli", "provider_pages")]
    out = python("-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "acme or committed", *files)
    passed = int(re.findall(r"(\d+) passed", out)[-1])
    assert passed >= 12
