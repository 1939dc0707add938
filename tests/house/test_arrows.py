"""The arrows of the architecture hold, and core is pure."""

import ast

from project import PACKAGE, tool

# Libraries that compute and do nothing else: no socket, clock, file, environment, randomness or log.
# importlib and pkgutil find the checks in their folder.
PURE = frozenset(
    [
        "__future__",
        "abc",
        "ast",
        "base64",
        "binascii",
        "bisect",
        "collections",
        "copy",
        "contextlib",
        "csv",
        "dataclasses",
        "datetime",
        "difflib",
        "email",
        "enum",
        "functools",
        "hashlib",
        "heapq",
        "html",
        "importlib",
        "ipaddress",
        "itertools",
        "json",
        "math",
        "operator",
        "pkgutil",
        "re",
        "string",
        "struct",
        "textwrap",
        "types",
        "typing",
        "unicodedata",
        "urllib",
        "zlib",
        "dns",
        "dkim",
        "idna",
        "publicsuffixlist",
        "pyarrow",
    ]
)
# Doors to the world inside modules that are otherwise pure.
IMPURE = frozenset({"urllib.request", "dns.resolver", "dns.query", "dns.asyncresolver", "pyarrow.fs"})


def test_the_import_contract_is_kept() -> None:
    run = tool("lint-imports", "--no-cache", "--no-logo")
    assert run.returncode == 0, run.stdout + run.stderr


def test_core_imports_only_what_computes() -> None:
    met = {name for path in (PACKAGE / "core").rglob("*.py") for name in _imported(path.read_text("utf-8"))}
    outside = {name for name in met if name.split(".")[0] not in PURE | {"portero"} or name in IMPURE}
    assert met & {"dataclasses", "enum"}, "the search found no import at all"
    assert not outside


def test_core_never_asks_for_the_time() -> None:
    asked = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in (PACKAGE / "core").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr in {"now", "utcnow", "today"}
        and _is_clock(node.value)
    ]
    assert not asked


def test_the_tests_try_the_checkout() -> None:
    import portero

    assert portero.__file__ == str(PACKAGE / "__init__.py")


def _is_clock(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in {"datetime", "date"}


def _imported(source: str) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names
