"""Rules that the configuration reads, whatever the evidence is called."""

import dataclasses
import re
import tomllib
from pathlib import Path

from portero.core.sender import Judgement, Kind
from portero.core.sender import Path as SendersPath
from portero.proving.demo import write_sample
from portero.relay import use_cases
from portero.relay.habit import Learnt
from portero.relay.rules import from_learnt, from_senders
from portero.relay.settings import parse_settings
from support.relay import MESSAGE, Device, hop, running

FRAME = """
[relay]
hostname = "relay.test"
spool = "s"
accepted_domains = ["northwind.example"]
[[listener]]
address = "127.0.0.1:25"
[[way]]
name = "w"
kind = "smarthost"
host = "h"
"""


def test_the_sample_organisations_devices_get_rules(tmp_path: Path) -> None:
    from datetime import UTC, datetime

    from portero import wiring
    from portero.core.finding import Profile

    write_sample(tmp_path, datetime(2026, 11, 24, tzinfo=UTC))
    senders = wiring.audit([tmp_path], config=None, profile=Profile.STANDARD, progress=lambda _: None).senders
    text = from_senders(senders, str)
    settings = parse_settings(FRAME + text, "relay.toml")
    networks = {str(network) for device in settings.devices for network in device.networks}
    needing = [
        each
        for each in senders
        if each.legitimate
        and each.path is SendersPath.DIRECT_SEND
        and each.kind in {Kind.DEVICE, Kind.APPLICATION}
    ]
    assert needing
    for each in needing:
        assert set(each.client_networks) <= networks
        mine = [one for one in settings.devices if set(map(str, one.networks)) == set(each.client_networks)]
        assert any(all(author in one.header_from for author in each.header_from) for one in mine)
        assert not any("x@elsewhere.example" in one.recipients for one in mine)
    spoofers = {
        network for each in senders if each.judgement is Judgement.ABUSE for network in each.client_networks
    }
    assert spoofers
    assert not spoofers & networks, "a spoofer gets no rule"
    # Evidence that tries to write a rule of its own.
    evil = dataclasses.replace(senders[0], header_from=('x"]\n[[device]]\nname="evil',))
    assert "evil" not in {
        device.name for device in parse_settings(FRAME + from_senders([evil], str), "x").devices
    }


def test_what_was_learnt_is_for_a_person_to_decide() -> None:
    learnt = Learnt(
        "192.0.2.1", {"mfp\n[[device]]"}, {"a@contoso.com"}, {"a@contoso.com"}, {"b@contoso.com"}, 7
    )
    text = from_learnt([learnt], str)
    assert all(line.startswith("#") for line in text.splitlines() if line)
    bare = "\n".join(line.removeprefix("# ") for line in text.splitlines()[1:])
    assert tomllib.loads(bare)["device"][0]["cidr"] == ["192.0.2.1"]


def test_learning_lets_through_writes_down_and_proposes(tmp_path: Path) -> None:
    more = '[learning]\ncidr = ["127.0.0.0/8"]\nuntil = 2099-01-01\n'
    with (
        hop() as far,
        running(tmp_path, far.port, device='ehlo = ["other"]', more=more) as relay,
        Device(relay.port) as device,
    ):
        assert device.mail(MESSAGE, "a@inside.test").startswith("250")
        assert device.mail(MESSAGE, "a@outside.test").startswith("550"), "inside only, while nobody knows it"
        assert far.wait(1)
        now = use_cases.learnt_rules(tmp_path / "relay.toml", str)
        assert "scan@inside.test" in now, "what was learnt a moment ago is known while the relay runs"
        relay.stop()
    text = use_cases.learnt_rules(tmp_path / "relay.toml", str)
    assert re.search(r'# mail_from = \["scan@inside.test"\]', text)
