"""
Partner connectors do not contradict each other, nor shut out senders that we know.

Before: a connector with a Restrict flag covers our own domain; every other sender of that domain, forwarders included, is silently
refused with 550 5.7.51. Or two such connectors cover the same domain with different criteria.

After: each known sender meets every restricting connector that covers its envelope domain, and no address stands on two connectors.

Mend: add the sender to the connector's criteria, or clear its Restrict flag and rely on Reject Direct Send.

Verify: run the audit again; the simulation over recorded mail finds no known sender refused by a connector.

May break: clearing a Restrict flag lets that domain in from anywhere again, as far as Reject Direct Send allows.

Exceptions: none.
"""

from __future__ import annotations

from ipaddress import IPv4Network

from portero.core.address import parse_network
from portero.core.checks.origins import of_answers, of_senders
from portero.core.evidence import Origin
from portero.core.exchange.attribution import attribute, seen_connectors
from portero.core.simulation import Effect as Fate
from portero.core.exchange.partner import partner_restriction
from portero.core.exchange.powershell import adding, quote, removing, run
from portero.core.exchange.settings import InboundConnector
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.sender import Judgement, Sender
from portero.core.text import Text
