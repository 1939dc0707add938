"""INV-01: every sender known and owned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from portero.core.checks.inv_01 import CHECK
from portero.core.checks.window import days_covered
from portero.core.evidence import Coverage
from portero.core.finding import Outcome, find
from portero.core.flow import Facts
from portero.core.sender import DecidedBy, Kind
from portero.core.text import Text

Build = Callable[..., Any]
OWNED = {"decided_by": DecidedBy.REGISTER, "owner": "print@contoso.com"}


def test_owned_senders_over_a_month_pass(posture: Build, sender: Build, month: tuple[Coverage, ...]) -> None:
    assert find(CHECK, posture(senders=(sender(**OWNED),), coverage=month)).outcome is Outcome.PASS


def test_an_unowned_sender_fails_whatever_the_window_and_is_named(posture: Build, sender: Build) -> None:
    found = find(CHECK, posture(senders=(sender(),)))

    assert found.outcome is Outcome.FAIL
    assert "scanner@contoso.com" in str(found.because)
    assert "portero decide s-scanner" in str(found.fix)


def test_a_register_entry_without_an_owner_is_not_enough(posture: Build, sender: Build) -> None:
    assert find(CHECK, posture(senders=(sender(decided_by=DecidedBy.REGISTER),))).outcome is Outcome.FAIL


@pytest.mark.parametrize(("mails", "outcome"), [(4, Outcome.WARN), (5, Outcome.FAIL)])
def test_five_mails_matter(
    posture: Build, sender: Build, month: tuple[Coverage, ...], mails: int, outcome: Outcome
) -> None:
    assert find(CHECK, posture(senders=(sender(mails=mails),), coverage=month)).outcome is outcome


def test_one_delivered_mail_that_failed_authentication_matters(
    posture: Build, sender: Build, month: tuple[Coverage, ...]
) -> None:
    rare = sender(mails=1, facts=Facts(mails=1, compauth={"fail 601": 1}, outcomes={"delivered": 1}))

    assert find(CHECK, posture(senders=(rare,), coverage=month)).outcome is Outcome.FAIL


def test_mailboxes_of_people_need_no_register(
    posture: Build, sender: Build, month: tuple[Coverage, ...]
) -> None:
    people = sender(kind=Kind.MAILBOX)

    assert find(CHECK, posture(senders=(people,), coverage=month)).outcome is Outcome.PASS


def test_less_than_a_month_is_unknown(posture: Build, sender: Build) -> None:
    week = Coverage(
        "t.csv",
        "message-trace-v2",
        9,
        datetime(2026, 11, 17, tzinfo=UTC),
        datetime(2026, 11, 23, tzinfo=UTC),
    )

    assert find(CHECK, posture(senders=(sender(**OWNED),), coverage=(week,))).outcome is Outcome.UNKNOWN


def test_a_cut_export_is_unknown(posture: Build, sender: Build, month: tuple[Coverage, ...]) -> None:
    cut = tuple(replace(each, notes=(Text("probably cut"),)) for each in month)

    assert find(CHECK, posture(senders=(sender(**OWNED),), coverage=cut)).outcome is Outcome.UNKNOWN


def test_days_count_once_and_reports_of_others_do_not_count() -> None:
    def span(kind: str, first: int, last: int) -> Coverage:
        return Coverage(
            f"{kind}{first}",
            kind,
            1,
            datetime(2026, 11, first, tzinfo=UTC),
            datetime(2026, 11, last, 23, tzinfo=UTC),
        )

    slices = (span("message-trace-v2", 1, 10), span("message-trace-v2", 8, 12), span("email-events", 15, 15))

    assert days_covered((*slices, span("dmarc-aggregate", 1, 30))) == 13
