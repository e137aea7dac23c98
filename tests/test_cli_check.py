"""``hooklatch check``: one line for each route, or one for each problem."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hooklatch.cli import main

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """\
store = "redis://localhost"
protect = ["/hooks/*"]

[routes."/hooks/github"]
provider = "github"
secrets = ["env:CHECK_SECRET", "file:/nowhere/old"]
max_body = 1000
max_skew = 3
"""
GOOD = TEXT.replace("max_skew = 3\n", 'cors = ["https://a.example"]\n') + (
    '\n[routes."/hooks/mechanic"]\nprovider = "mechanic"\nsecrets = "call:nowhere:find"\n'
)


def check(path: Path, text: str, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, list[str], list[str]]:
    path.write_text(text)
    status = main(["check", str(path), *options])
    told = capsys.readouterr()
    return status, told.out.splitlines(), told.err.splitlines()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "hooklatch.toml"


def test_a_good_file_is_told_in_one_line_for_each_route(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, lines, complaints = check(file, GOOD, capsys, "--no-secrets")
    assert (status, complaints) == (0, [])
    memory = "on_duplicate=acknowledge duplicate_key"
    assert lines == [
        f"/hooks/github: github coverage=body {memory}=signed duplicate_ttl=2592000 max_body=1000 cors=[https://a.example]",
        f"/hooks/mechanic: mechanic coverage=fields {memory}=body duplicate_ttl=86400 max_body=16384",
    ]


def test_problems_are_told_in_one_line_each_with_status_2(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, lines, complaints = check(file, f"colour = 1\n{TEXT}", capsys, "--no-secrets")
    assert (status, lines) == (2, [])
    assert complaints[0].startswith(f"hooklatch: {file}:1: colour: ")
    assert "max_skew needs a signed timestamp" in complaints[1]
    assert len(complaints) == 2


def test_missing_secrets_are_problems_unless_told_otherwise(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CHECK_SECRET", raising=False)
    status, _, complaints = check(file, GOOD, capsys)
    assert status == 2
    assert [line.partition(": ")[2].partition(": ")[2][:30] for line in complaints] == [
        'routes."/hooks/github".secrets',
        'routes."/hooks/mechanic".secre',
    ]
    monkeypatch.setenv("CHECK_SECRET", "a secret, long enough to be one")
    (file.parent / "old").write_text("an old secret, as long as that")
    there = GOOD.replace("/nowhere/old", "old").replace("call:nowhere:find", "env:HOME")
    assert check(file, there, capsys)[0] == 0


def test_a_secret_that_is_written_down_is_not_shown(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, complaints = check(file, TEXT.replace("env:CHECK_SECRET", "hunter2hunter2"), capsys, "--no-secrets")
    assert status == 2
    assert "never written into the file" in complaints[0]
    assert "hunter2" not in "".join(complaints)


def test_a_file_that_is_not_there_is_one_problem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path / "absent")]) == 2
    assert "cannot be read" in capsys.readouterr().err
