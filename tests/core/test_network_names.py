"""Networks behind senders: named by the mails that come from them, and nothing else about the sender changes."""

from dataclasses import replace

from portero.core.evidence import Origin
from portero.core.network_names import name_networks, network_map, packed
from portero.core.sender import Judgement, Kind
from support.flows import flow
from support.senders import a_sender

ORIGIN = Origin("asn.tsv")


def the_map(**names):
    return network_map(
        ((packed(f"{net}.0"), packed(f"{net}.255"), name) for name, net in names.items()), ORIGIN
    )


def named(sender, *maps):
    (found,) = name_networks([sender], maps)
    return found, [str(each.text) for each in found.because]


def test_the_networks_with_the_most_mails_come_first_and_nothing_else_changes():
    held = a_sender(
        "news",
        Kind.SERVICE,
        Judgement.UNDECIDED,
        flow(5, 5, client_ip="192.0.2.7"),
        flow(90, 5, client_ip="198.51.100.4"),
        flow(1, 5, client_ip="203.0.113.9"),
        flow(400, 5, client_ip=""),
    )
    found, (text,) = named(held, the_map(small="192.0.2", large="198.51.100"))
    assert "networks of large, small." in text
    assert replace(found, because=()) == held
    (reason,) = found.because
    assert (reason.code, reason.weight, reason.origins) == ("network-named", 0.0, (ORIGIN,))


def test_the_first_map_that_knows_an_address_names_it():
    held = a_sender("a", Kind.DEVICE, Judgement.LEGITIMATE, flow(5, 5, client_ip="192.0.2.7"))
    _, (text,) = named(held, the_map(other="203.0.113"), the_map(first="192.0.2"), the_map(second="192.0.2"))
    assert "networks of first." in text


def test_what_only_others_reported_is_named_by_single_addresses():
    held = replace(
        a_sender("a", Kind.SERVICE, Judgement.UNDECIDED), client_networks=("192.0.2.7/32", "198.51.100.0/24")
    )
    _, (text,) = named(held, the_map(one="192.0.2", wide="198.51.100"))
    assert "networks of one." in text


def test_without_a_map_or_a_name_nothing_is_said():
    held = a_sender("a", Kind.DEVICE, Judgement.LEGITIMATE, flow(5, 5, client_ip="192.0.2.7"))
    assert named(held)[0] is held
    assert named(held, the_map(other="203.0.113"))[0] == held
