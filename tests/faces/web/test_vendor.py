"""What others wrote is here whole, with its licence, and is what its publisher published."""

from __future__ import annotations

import json
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

VENDOR = Path(str(files("portero.faces.web").joinpath("static", "vendor")))
LISTED = json.loads((VENDOR / "vendor.json").read_text("utf-8"))


def test_every_file_is_the_one_listed() -> None:
    listed = {name: mark for package in LISTED.values() for name, mark in package["files"].items()}
    held = {
        path.relative_to(VENDOR).as_posix()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name not in {"LICENSE", "vendor.json"}
    }
    assert held == set(listed)
    for name, mark in listed.items():
        assert sha256((VENDOR / name).read_bytes()).hexdigest() == mark
        assert (VENDOR / name).with_name("LICENSE").is_file()


def test_no_template_and_no_file_of_ours_names_another_host() -> None:
    web = VENDOR.parents[1]
    for path in (*web.rglob("*.html"), web / "static" / "portero.js", web / "static" / "portero.css"):
        assert "//" not in path.read_text("utf-8").replace("://127.0.0.1", "").replace("\n// ", ""), path
