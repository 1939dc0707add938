"""What closing SMTP AUTH does to submitted mail: a switch of the organisation says nothing of a mailbox's own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from portero.core.controls import apply_controls, parse_control
from portero.core.exchange.attribution import Seen
from portero.core.exchange.settings import AcceptedDomain, Settings
from portero.core.flow import Flow
from portero.core.simulate import decide
from portero.core.simulation import Effect
from support.flows import flow

PRINTER = "mfp@contoso.com"
OFF = Settings(
    accepted_domains=(AcceptedDomain("contoso.com", match_subdomains=False),),
    inbound_connectors=(),
    smtp_auth_disabled=True,
)
SUBMITTED = flow(
    client_ip="203.0.113.7", connector="", direction="originating", sender=PRINTER, header_from=PRINTER
)
INSIDE = flow(client_ip=None, connector="", direction="originating", sender=PRINTER)


def under_basic_off(what: Flow, settings: Settings) -> Effect:
    return decide(what, apply_controls(settings, (parse_control("smtp-basic-off"),)), Seen()).effect


@pytest.mark.parametrize("what", [SUBMITTED, INSIDE])
def test_off_for_the_organisation_is_no_answer_while_the_mailboxes_were_not_exported(what: Flow) -> None:
    assert under_basic_off(what, OFF) is Effect.UNDETERMINED


@pytest.mark.parametrize(
    ("own", "effect"),
    [(None, Effect.KEPT), (True, Effect.KEPT), (False, Effect.UNDETERMINED)],
)
def test_the_mailboxs_own_switch_settles_it(own: bool | None, effect: Effect) -> None:
    settings = replace(OFF, smtp_auth_mailboxes={PRINTER: own})
    assert under_basic_off(SUBMITTED, settings) is effect
