"""The README's examples run, and print what it says they print."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

README = (Path(__file__).parent.parent / "README.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", README, re.DOTALL)


@pytest.mark.parametrize(("code", "output"), EXAMPLES, ids=[code.strip().splitlines()[-1][:40] for code, _ in EXAMPLES])
def test_an_example_runs_and_prints_what_it_says(code: str, output: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MOMENTO_SECRET", "SPECKLE_SECRET", "SPECKLE_OLD_SECRET", "GITHUB_SECRET", "STRIPE_SECRET"):
        monkeypatch.setenv(name, f"a secret of the {name.lower()}")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {"__name__": "example"})
    assert printed.getvalue() == output


def test_the_readme_has_the_examples_it_promises() -> None:
    assert len(EXAMPLES) == 6
    assert sum(bool(output) for _, output in EXAMPLES) == 2


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#]+)\)", README))))
def test_every_file_the_readme_points_at_is_there(target: str) -> None:
    assert (Path(__file__).parent.parent / target).exists()
