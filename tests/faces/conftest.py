"""The sample audit for every test of the faces."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from portero.core.audit import Audit


def _sample() -> ModuleType:
    # pytest imports test files without putting their folder on the path, so the sample is loaded by its file.
    name = "portero_sample_audit"
    if name not in sys.modules:
        spec = spec_from_file_location(name, Path(__file__).with_name("sample_audit.py"))
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture
def sample() -> ModuleType:
    return _sample()


@pytest.fixture
def audit() -> Audit:
    made: Audit = _sample().sample_audit()
    return made
