"""The built package holds everything that the checkout holds, and nothing else."""

import zipfile
from pathlib import Path

from project import PACKAGE, files, tool


def test_the_wheel_holds_the_package_whole(tmp_path: Path) -> None:
    run = tool("hatchling", "build", "--target", "wheel", "--directory", str(tmp_path))
    assert run.returncode == 0, run.stdout + run.stderr
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as held:
        built = {name for name in held.namelist() if name.startswith("portero/")}
    assert built == {
        str(Path("portero") / path.relative_to(PACKAGE)) for path in files() if PACKAGE in path.parents
    }
