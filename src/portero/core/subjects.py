"""What subjects of mail are about: the words of devices, of known lures, and of offices that lures imitate."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from portero.core.flow import Facts

Words = Callable[[str], bool]


def _finder(pattern: str) -> Words:
    """Tell of shapes whether they have one of some words; the same few shapes are asked about without end."""
    words = re.compile(pattern)

    @lru_cache(maxsize=65536)
    def holds(shape: str) -> bool:
        return words.search(shape) is not None

    return holds


# Default subjects of multifunction printers, UPS, storage and monitoring, as shapes (digits as #, lower case).
DEVICE = _finder(
    r"\b(scan(ned)?|escaneo|escaneado|numéris\w*|digitaliza\w*|multifun\w*|mfp|xerox|kyocera|ricoh|konica|bizhub|km_|lexmark"
    r"|laserjet|brother|canon|epson|copier|toner|ups|battery|bater[ií]a|backup|copia de seguridad|sicherung|nas|raid|disk"
    r"|alert|alarm|warning|status|report|informe|bericht|relat[oó]rio|job|cron|monitor|temperatur\w*)\b"
)
# What published Direct Send lures are about (reference exchange-online 7.1), in four languages.
LURE = _finder(
    r"(voice ?mail|voice ?message|caller left|vm message|buz[oó]n de voz|mensaje de voz|sprachnachricht|correio de voz"
    r"|mensagem de voz|missed (call|fax)|fax[- ]?(msg|message)|e-?fax\b|new fax|fax received|fax recibido|fax recebido"
    r"|fax (empfangen|erhalten)|password.{0,20}expir|contraseña.{0,25}(expir|caduc)|passwort.{0,20}(l[aä]uft|abl)"
    r"|senha.{0,20}expir|\bmfa\b|multi-?factor|two-?factor|authenticat|autenticador|verify your|verifi(que|car)"
    r"|shared (a |the )?(file|document)|document(o)? compartid|docusign|signature required|action required"
    r"|acci[oó]n requerida|a[cç][aã]o necess[aá]ria|handlung erforderlich|urgent|urgente|dringend"
    r"|wire transfer|qr[- ]?code|c[oó]digo qr)"
)
# Lures too, and what a payroll office or the accounts write about every month.
BUSINESS = _finder(
    r"(payroll|salary|bonus|n[oó]mina|sueldo|salari(o|al)|gehalt|lohn|sal[aá]rio|overdue|remittance|transferencia|handbook|benefits"
    r"|evaluation)"
)


def about(facts: Facts, words: Words) -> int:
    """Count the mails whose subject, of those that are kept, has one of the words."""
    return sum([number for shape, number in facts.shapes.items() if words(shape)])


def first_about(facts: Facts, words: Words) -> str:
    """Give the subject that has one of the words, the first by the alphabet; there must be one."""
    return min(filter(words, facts.shapes))
