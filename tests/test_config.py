"""portero.toml: frozen values from a good file, and everything wrong with a bad one at once."""

import contextlib
import dataclasses
from ipaddress import ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portero.config import key_lines, load_config, parse_config
from portero.core.evidence import Origin
from portero.core.register import Configuration
from portero.errors import AccessDenied, ConfigError, InputError, PorteroError, SourceUnavailable
from portero.toml_file import find_config

GOOD = """
[organisation]
name = "Contoso"
accepted_domains = ["Contoso.com", "bücher.example"]
mx_provider = "microsoft"

[[network]]
name = "Madrid office egress"
cidr = ["203.0.113.8/29", "2001:db8:10::/48"]
use = "devices"

[[sender]]
label = "Payroll run"
header_from = ["payroll@contoso.com", "*@pay.contoso.com"]
cidr = ["198.51.100.20/32"]
judgement = "legitimate"
owner = "hr-systems@contoso.com"
"""


def problems(text):
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "portero.toml")
    return [str(problem) for problem in caught.value.problems]


def test_a_good_file_becomes_frozen_values():
    held = parse_config(GOOD, "portero.toml")
    assert (held.name, held.mx_provider) == ("Contoso", "microsoft")
    assert held.accepted_domains == ("contoso.com", "xn--bcher-kva.example")
    (place,) = held.networks
    assert (place.networks[0], place.use, place.origin) == (
        ip_network("203.0.113.8/29"),
        "devices",
        Origin("portero.toml", 7),
    )
    (sender,) = held.register
    assert sender.header_from == ("payroll@contoso.com", "@pay.contoso.com")
    assert (sender.judgement, sender.owner, sender.origin) == (
        "legitimate",
        "hr-systems@contoso.com",
        Origin("portero.toml", 12),
    )
    with pytest.raises(dataclasses.FrozenInstanceError):
        held.name = "other"


def test_every_key_is_optional():
    assert parse_config("", "p.toml") == Configuration(origin=Origin("p.toml"))


def test_all_errors_are_said_at_once_with_key_and_line():
    text = (
        "[organisation]\nname = 3\nacepted_domains = []\n[[network]]\ncidr = [\n  '10.0.0.0/8',\n  'nope',\n]\n"
        "[[sender]]\nlabel = 'x'\njudgement = 'legit'\n[sendr]\n"
    )
    assert problems(text) == [
        "portero.toml, line 2: organisation.name is 3; a text is expected here.",
        "portero.toml, line 3: there is no key organisation.acepted_domains. Did you mean accepted_domains?",
        "portero.toml, line 4: network[1].name is missing. Add it.",
        "portero.toml, line 5: network[1].cidr[2] is 'nope', which is not an address or a network such as 203.0.113.8/29.",
        "portero.toml, line 9: this sender names none of header_from, mail_from, cidr and ehlo. Add one.",
        "portero.toml, line 11: sender[1].judgement is 'legit'; it can be legitimate, abuse, undecided.",
        "portero.toml, line 12: there is no key sendr. Did you mean sender?",
    ]


def test_a_table_where_a_list_of_tables_belongs_is_explained():
    (problem,) = problems("[sender]\nlabel = 'x'\n")
    assert "line 1" in problem
    assert "[[sender]]" in problem


def test_toml_that_does_not_parse_names_its_line():
    (problem,) = problems("[organisation]\nname = \n")
    assert problem.startswith("portero.toml, line 2: this is not TOML")


@pytest.mark.parametrize("value", ["contoso", "a@b.com", "*.contoso.com", "http://contoso.com"])
def test_what_is_no_domain_is_refused(value):
    assert "accepted_domains[1]" in problems(f"organisation.accepted_domains = ['{value}']")[0]


def test_the_null_reverse_path_may_be_registered_as_mail_from_only():
    base = "[[sender]]\nlabel='x'\njudgement='abuse'\n"
    assert parse_config(base + "mail_from=['']", "p").register[0].mail_from == ("",)
    assert "header_from[1]" in problems(base + "header_from=['']")[0]


def test_lines_of_keys_survive_multi_line_values():
    text = 'organisation.name = """\nowner = 1\n"""\n[[network]]\ncidr = [ # [\n "x", # name = 1\n]\nname = "n"\n'
    lines = key_lines(text)
    assert lines["organisation", "name"] == 1
    assert lines["network", 0, "name"] == 8
    assert ("owner",) not in lines


def test_a_file_is_found_in_the_first_folder_that_holds_one(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    first.mkdir()
    second.mkdir()
    (second / "portero.toml").write_text(GOOD, encoding="utf-8-sig")
    assert find_config([first, tmp_path / "missing"]) is None
    found = find_config([first, second])
    assert found == second / "portero.toml"
    assert load_config(found).name == "Contoso"


def test_what_cannot_be_read_is_a_configuration_error(tmp_path):
    with pytest.raises(ConfigError, match=r"cannot be read"):
        load_config(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"\n# \xf1\n")
    with pytest.raises(ConfigError, match=r"line 2: this is not UTF-8"):
        load_config(tmp_path / "latin.toml")


def test_each_error_carries_the_exit_code_of_the_contract():
    codes = {
        kind.__name__: kind.exit_code for kind in (InputError, ConfigError, AccessDenied, SourceUnavailable)
    }
    assert codes == {"InputError": 3, "ConfigError": 2, "AccessDenied": 4, "SourceUnavailable": 4}
    assert issubclass(InputError, PorteroError)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(GOOD)), st.integers(0, 40), st.text(max_size=12))
def test_a_mangled_file_gives_values_or_a_configuration_error(start, length, middle):
    text = GOOD[:start] + middle + GOOD[start + length :]
    with contextlib.suppress(ConfigError):
        assert parse_config(text, "p.toml").origin == Origin("p.toml")


def test_the_zone_of_logs_is_one_that_exists():
    assert parse_config('[organisation]\ntime_zone = "Europe/Madrid"', "f").time_zone == "Europe/Madrid"
    with pytest.raises(ConfigError) as raised:
        parse_config('[organisation]\ntime_zone = "Madrid"', "f")
    assert "Europe/Madrid" in str(raised.value.problems[0])


def test_a_network_may_be_one_of_relays():
    held = parse_config('[[network]]\nname = "r"\ncidr = ["10.2.0.25/32"]\nuse = "relay"', "f")
    assert held.networks[0].use == "relay"


def test_limits_are_whole_numbers_by_name():
    limits = parse_config("[limits]\nnesting = 2\nrecord_octets = 1000\n", "portero.toml").limits
    assert (limits.nesting, limits.record_octets, limits.members) == (2, 1000, Configuration().limits.members)
    assert problems("[limits]\nnesting = 0\noctets = 'x'\n") == [
        "portero.toml, line 2: limits.nesting is 0; a whole number within its bounds is expected here.",
        "portero.toml, line 3: limits.octets is 'x'; a whole number within its bounds is expected here.",
    ]
    assert "record_octets" in problems("[limits]\nrecord_octet = 5\n")[0]
    assert "[limits]" in problems("limits = 5\n")[0]
