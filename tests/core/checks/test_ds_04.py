"""DS-04: our From over a foreign envelope."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portero.core.checks.ds_04 import CHECK
from portero.core.finding import Finding, Outcome, find
from portero.core.flow import Facts, Flow, FlowKey
from portero.core.sender import Path, Sender

Build = Callable[..., Any]


def flow(**facts: Any) -> Flow:
    key = FlowKey(
        client_ip="198.51.100.9",
        mail_from_domain="elsewhere.example",
        header_from="boss@contoso.com",
        connector="",
        direction="incoming",
    )
    return Flow(key, Facts(**{"mails": 5, **facts}))


def judged(posture: Build, *senders: Sender) -> Finding:
    return find(CHECK, posture(senders=senders))


def test_mail_that_failed_dmarc_and_was_delivered_fails(posture: Build, sender: Build) -> None:
    spoofer = sender(
        path=Path.FOREIGN_ENVELOPE, flows=(flow(dmarc={"fail": 5}, outcomes={"delivered": 2, "junked": 3}),)
    )

    assert judged(posture, spoofer).outcome is Outcome.FAIL


def test_mail_that_failed_dmarc_and_was_kept_out_passes(posture: Build, sender: Build) -> None:
    spoofer = sender(
        path=Path.FOREIGN_ENVELOPE, flows=(flow(dmarc={"fail": 5}, outcomes={"quarantined": 5}),)
    )

    assert judged(posture, spoofer).outcome is Outcome.PASS


def test_an_aligned_service_passes(posture: Build, sender: Build) -> None:
    service = sender(path=Path.FOREIGN_ENVELOPE, flows=(flow(dmarc={"pass": 5}, outcomes={"delivered": 5}),))

    assert judged(posture, service).outcome is Outcome.PASS


def test_a_mix_fails_only_when_some_failing_mail_must_be_among_the_delivered(
    posture: Build, sender: Build
) -> None:
    sure = sender(
        path=Path.FOREIGN_ENVELOPE, flows=(flow(dmarc={"pass": 3, "fail": 2}, outcomes={"delivered": 4}),)
    )
    open_ = sender(
        path=Path.FOREIGN_ENVELOPE, flows=(flow(dmarc={"pass": 3, "fail": 2}, outcomes={"delivered": 3}),)
    )

    assert judged(posture, sure).outcome is Outcome.FAIL
    assert judged(posture, open_).outcome is Outcome.UNKNOWN


def test_delivered_mail_without_any_result_is_unknown(posture: Build, sender: Build) -> None:
    unread = sender(path=Path.FOREIGN_ENVELOPE, flows=(flow(outcomes={"delivered": 5}),))

    assert judged(posture, unread).outcome is Outcome.UNKNOWN


def test_a_sender_whose_envelope_nobody_knows_is_unknown(posture: Build, sender: Build) -> None:
    assert judged(posture, sender(path=Path.UNDETERMINED, flows=(flow(),))).outcome is Outcome.UNKNOWN


def test_without_a_witness_of_both_names_silence_is_unknown(posture: Build, sender: Build) -> None:
    assert judged(posture, sender(flows=())).outcome is Outcome.UNKNOWN
