"""Documents cannot lie: their commands run, their options exist, their tree is the tree."""

import re
import shlex
import subprocess
from functools import lru_cache
from pathlib import Path

import pytest
import tree_sitter
import tree_sitter_powershell
from project import PACKAGE, ROOT, files, tool

READMES = ("README.md", "README.es.md")
PAGES = sorted(path for path in files() if path.suffix == ".md")
# Written in pieces, so that this file does not find itself.
MACHINE = re.compile("|".join(("/" + "work/", "/" + "opt/", "/" + "tmp/", "/" + "root/", "/" + "home/")))
INDEX = re.compile(r"index" + r"-url|pypi" + r"\.org|pythonhosted" + r"\.org")


def blocks(page: Path, language: str) -> list[str]:
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return [re.sub(f"^{indent}", "", block, flags=re.MULTILINE) for indent, block in found]


def calls() -> list[str]:
    lines = [line for page in PAGES for block in blocks(page, "sh") for line in block.splitlines()]
    return sorted({line for line in lines if line.startswith("portero ")})


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def portero(*words: str) -> subprocess.CompletedProcess[str]:
    return tool("python", "-m", "portero", *words)


@lru_cache
def help_of(*names: str) -> subprocess.CompletedProcess[str]:
    """Ask each command for its help once: many calls name the same one, and each asking starts a process."""
    return portero(*names, "--help", "--lang", "en")


@pytest.mark.parametrize("lang", ["en", "es"])
def test_the_command_answers_help(lang: str) -> None:
    run = portero("--help", "--lang", lang)
    assert run.returncode == 0
    assert all(name in run.stdout for name in ("demo", "audit", "senders", "simulate", "check", "plan"))


@pytest.mark.parametrize("call", calls())
def test_a_documented_call_names_a_command_and_options_that_exist(call: str) -> None:
    words = shlex.split(call, comments=True)
    # Commands may have commands of their own; what comes behind their names, and is no option, is an argument.
    names = [words[1]]
    run = help_of(*names)
    for word in words[2:]:
        if "\nCommands:\n" not in run.stdout or word.startswith("-"):
            break
        names.append(word)
        run = help_of(*names)
    assert run.returncode == 0, run.stderr
    for word in words[2:]:
        if word.startswith("--"):
            assert re.search(rf"^  {word.partition('=')[0]}\b", run.stdout, re.MULTILINE), word


def test_some_calls_are_documented() -> None:
    assert {call.split()[1] for call in calls()} >= {"audit", "simulate", "check", "plan", "senders"}


@pytest.mark.parametrize("readme", READMES)
def test_the_readmes_session_is_what_the_demo_says(readme: str, tmp_path: Path) -> None:
    [session] = blocks(ROOT / readme, "console")
    command, *shown = session.splitlines()
    assert command.startswith("$ portero demo")
    lang = "es" if readme.endswith(".es.md") else "en"
    run = portero(*shlex.split(command)[2:], "--out", str(tmp_path), "--lang", lang)
    assert run.returncode == 0, run.stderr
    said = {line.strip() for line in run.stdout.splitlines()}
    assert len(shown) > 5
    assert [line for line in shown if line.strip() not in said | {"", "…"}] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_powershell_on_a_page_is_powershell(page: Path) -> None:
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
    for block in blocks(page, "powershell"):
        assert not parser.parse(block.encode()).root_node.has_error, block


def test_the_architecture_names_every_directory() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    folders = {path.parent for path in PACKAGE.rglob("*.py")} - {PACKAGE, PACKAGE / "core"}
    missing = [folder for folder in folders if f"{folder.name}/" not in page]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("pattern", [MACHINE, INDEX], ids=["path of a machine", "host of an index"])
def test_no_file_knows_the_machine_it_was_written_on(pattern: re.Pattern[str]) -> None:
    found = []
    for path in files():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{name_of(path)}: {hit}" for hit in pattern.findall(text)]
    assert not found
