"""Every use case is put together when it is asked for, and nothing is loaded that a call does not need."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from portero import wiring
from portero.faces.desk import UseCases

# What takes long to load, or belongs to a part that none of these calls asks for.
ENGINE = frozenset({"duckdb", "numpy", "pyarrow"})
PAGES = frozenset({"babel.messages", "jinja2", "sqlalchemy", "starlette", "uvicorn"})
NETWORK = frozenset({"asyncio", "dns.asyncquery", "httpx2", "portero.collect.live_dns"})
LETTERS = frozenset({"lxml", "olefile", "portero.core.rules", "portero.opening", "pypdfium2", "sklearn"})
RELAY = frozenset({"cryptography", "keyring", "msal", "portero.relay"})
APART = NETWORK | LETTERS | RELAY | {"portero.dashboard", "portero.proving", "portero.learning", "sqlalchemy"}

AFTER = """
import sys
from portero.__main__ import main
try:
    main()
except SystemExit as end:
    print(*sys.modules, sep="\\n", file=sys.stderr)
    raise
"""


def loaded(*words: str) -> set[str]:
    """Call the program in a process of its own and give the modules that were loaded at its end."""
    run = subprocess.run([sys.executable, "-c", AFTER, *words], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return set(run.stderr.splitlines())


@pytest.mark.parametrize("words", [("--help",), ("--version",), ("--help", "--lang", "es")], ids=" ".join)
def test_help_loads_neither_engine_nor_pages_nor_network(words: tuple[str, ...]) -> None:
    met = loaded(*words)
    assert "portero.faces.cli" in met
    assert not met & (ENGINE | PAGES | APART | {"dns", "pydantic", "portero.app", "portero.core.checks"})


@pytest.mark.parametrize("words", [("questions", "--help"), ("relay", "--help")], ids=" ".join)
def test_the_help_of_a_command_loads_no_engine(words: tuple[str, ...]) -> None:
    assert not loaded(*words) & (ENGINE | APART)


def test_a_decision_without_evidence_loads_no_engine(tmp_path: Path) -> None:
    met = loaded("decide", "s-0123456789ab", "legitimate", "--config", str(tmp_path / "portero.toml"))
    assert (tmp_path / "portero.decisions.jsonl").is_file()
    assert not met & (ENGINE | PAGES | APART)


def test_an_audit_loads_what_its_evidence_needs_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "evidence").mkdir()
    settings = '[{"Name": "contoso.com", "DomainName": "contoso.com", "DomainType": "Authoritative"}]'
    (tmp_path / "evidence" / "Get-AcceptedDomain.json").write_text(settings)
    met = loaded("audit", str(tmp_path / "evidence"), "--out", str(tmp_path / "out"))
    assert met >= {"portero.app", "duckdb"}
    assert not met & (APART | {"portero.keeping", "portero.store.lake", "portero.config"})


def test_every_use_case_is_there_and_its_type_is_known() -> None:
    tree = ast.parse(Path(wiring.__file__).read_text("utf-8"))
    [typed] = [each for each in tree.body if isinstance(each, ast.If)]
    imported = {
        (str(each.module).rpartition(".")[2], name.name)
        for each in typed.body
        if isinstance(each, ast.ImportFrom)
        for name in each.names
    }
    assert imported == {(part, name) for part, names in wiring.PARTS.items() for name in names}
    wanted = {name for name in vars(UseCases) if not name.startswith("_")}
    assert {name for _, name in imported} == wanted
    assert all(callable(getattr(wiring, name)) for name in wanted)


def test_a_name_that_is_no_use_case_is_none() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        wiring.nothing  # noqa: B018 - asking is the test
