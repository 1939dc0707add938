"""The relay's configuration: what it means, and everything that is wrong with it at once."""

import pytest

from portero.errors import ConfigError
from portero.relay.settings import parse_settings

GOOD = """
[relay]
hostname = "relay.contoso.com"
spool = "spool"
accepted_domains = ["contoso.com"]
owner = "postmaster@contoso.com"

[[listener]]
address = "0.0.0.0:25"

[[device]]
name = "Scanner"
cidr = ["10.1.2.10/32"]
mail_from = ["scan@contoso.com"]
hours = "06:00-22:00"

[[way]]
name = "exchange"
kind = "smarthost"
host = "contoso-com.mail.protection.outlook.com"
"""


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as error:
        parse_settings(text, "relay.toml")
    return [str(each) for each in error.value.problems]


def test_what_it_means() -> None:
    settings = parse_settings(GOOD, "relay.toml")
    [device], [listener], [way] = settings.devices, settings.listeners, settings.ways
    assert "scan@contoso.com" in device.header_from
    assert "anyone@contoso.com" in device.recipients
    assert "anyone@fabrikam.com" not in device.recipients
    assert device.outside == "quarantine"
    assert (listener.host, listener.port, listener.tls) == ("0.0.0.0", 25, "none")
    assert (way.text("tls"), way.number("port"), way.limits.sessions) == ("starttls", 25, 10)


def test_all_that_is_wrong_is_said_by_line() -> None:
    text = GOOD.replace('hours = "06:00-22:00"', 'hours = "late"\noutsid = "refuse"').replace(
        'address = "0.0.0.0:25"', 'address = "here"\ntls = "required"'
    )
    found = problems(text)
    assert [each.partition(":")[0] for each in found] == [
        "relay.toml, line 8", "relay.toml, line 9", "relay.toml, line 16", "relay.toml, line 17",
    ]  # fmt: skip
    assert "Did you mean outside?" in found[3]


def test_a_secret_is_named_by_its_place_and_never_written_down() -> None:
    [found] = problems(GOOD + 'user = "relay"\npassword = "hunter2"\n')
    assert "password" in found
    settings = parse_settings(GOOD + 'user = "relay"\npassword = { env = "RELAY_PASSWORD" }\n', "relay.toml")
    assert "RELAY_PASSWORD" in repr(settings.ways[0].options["password"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('cidr = ["10.1.2.10/32"]', 'cidr = ["0.0.0.0/0"]'), "0.0.0.0/0 would open the relay"),
        (
            ('mail_from = ["scan@contoso.com"]', 'mail_from = "anywhere"\nrecipients = "anywhere"'),
            "is an open relay",
        ),
        (('cidr = ["10.1.2.10/32"]\n', ""), "names none of cidr, login and certificate"),
        (('cidr = ["10.1.2.10/32"]', "cidr = []"), "names none of cidr, login and certificate"),
        (('cidr = ["10.1.2.10/32"]', 'cidr = ["10.1.2.300"]'), "not a list of addresses"),
    ],
)
def test_it_will_not_start_open(change: tuple[str, str], words: str) -> None:
    [found] = problems(GOOD.replace(*change))
    assert words in found
    assert "line " in found


def test_an_empty_login_is_none() -> None:
    found = problems(GOOD.replace('cidr = ["10.1.2.10/32"]', 'login = ""'))
    assert "names none of cidr, login and certificate" in found[0]
    assert "not empty" in found[1]


def test_old_tls_wants_names() -> None:
    [found] = problems(
        GOOD.replace('"0.0.0.0:25"', '"0.0.0.0:25"\ntls = "offered"\ncertificate = "c.pem"\nold_tls = true')
    )
    assert "only_from" in found


@pytest.mark.parametrize(
    "text", ["[relay", "", "[relay]\n", "relay = 1", "[[listener]]\naddress = 1", "[relay]\nspool = [1]"]
)
def test_hostile_texts_only_complain(text: str) -> None:
    assert problems(text)
