"""Detections that must run by themselves: when each last ran, as far as anybody says."""

from __future__ import annotations

from datetime import timedelta

from portero.core.finding import Outcome, Posture, Verdict
from portero.core.text import Text

# Source: controls catalogue LOG-03, AUTH-08.
EVERY = timedelta(hours=24)


def judge_schedule(posture: Posture, check: str, otherwise: Verdict) -> Verdict:
    """
    Judge whether the detection of a check ran within a day.

    otherwise:  the verdict where nobody says that it runs anywhere.
    """
    held = [each for each in posture.configuration.detections if each.check == check]
    if not held:
        return otherwise
    newest = max(held, key=lambda each: each.last_run)
    origins = () if newest.origin is None else (newest.origin,)
    if posture.now - newest.last_run > EVERY:
        return Verdict(
            Outcome.FAIL,
            Text(
                "The detection in {where} last ran on {day}.",
                where=newest.where,
                day=newest.last_run.date().isoformat(),
            ),
            origins,
        )
    return Verdict(
        Outcome.PASS, Text("The detection in {where} ran within a day.", where=newest.where), origins
    )
