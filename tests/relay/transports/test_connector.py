"""A connector: no login; what does not match it is the way's fault, not the message's."""

import pytest

from portero.relay.explain import explain
from portero.relay.outcome import Scope
from support.relay import hop
from support.ways import deliver, kinds, message, way


@pytest.mark.parametrize(
    "reply",
    [
        "550 5.7.64 TenantAttribution; Relay Access Denied",
        "550 5.7.68 TenantInboundAttribution; Direct Send not allowed for this organization from unauthorized sources",
        "550 5.7.51 TenantInboundAttribution; There is a partner connector configured that matched the message's recipient domain.",
    ],
)
def test_no_match_defers_and_is_explained(reply: str) -> None:
    with hop(RCPT=reply) as far:
        [one] = deliver(way("connector", far.port), message())
    assert kinds(one) == ["DEFERRED"]
    assert one[0].scope is Scope.WAY
    assert explain(reply) is not None
    assert not far.logins
