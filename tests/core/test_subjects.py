"""Words of subjects, in the languages in which devices and lures write."""

from __future__ import annotations

import pytest

from portero.core.flow import Facts
from portero.core.subjects import BUSINESS, DEVICE, LURE, about, first_about


@pytest.mark.parametrize(
    ("subject", "lure", "device"),
    [
        ("acción requerida: renueve su contraseña hoy", True, False),
        ("you have # new voice message", True, False),
        ("efax: # pages received", True, False),
        ("neues fax empfangen #", True, False),
        ("ação necessária: atualize os seus dados", True, False),
        ("escaneado desde escaner", False, True),
        ("ups on battery", False, True),
        ("minutes of the meeting", False, False),
    ],
)
def test_what_a_subject_is_about(subject: str, lure: bool, device: bool) -> None:
    facts = Facts(shapes={subject: 3, "hello": 2})

    assert about(facts, LURE) == (3 if lure else 0)
    assert about(facts, DEVICE) == (3 if device else 0)


def test_the_first_subject_about_it_is_the_same_in_every_run() -> None:
    facts = Facts(shapes={"nómina de mayo": 1, "bonus": 4, "hola": 1})

    assert (first_about(facts, BUSINESS), about(facts, BUSINESS)) == ("bonus", 5)
