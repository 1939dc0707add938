"""Network witnesses beside mail, from files to the inventory: a device is named where the evidence allows, and only there."""

import csv
from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

import pytest

from portero import wiring
from portero.core.finding import Profile
from portero.core.sender import Judgement
from portero.faces.audit_json import audit_document
from portero.faces.render import Renderer
from portero.faces.report.page import render_report

START = datetime(2026, 11, 2, 7, tzinfo=UTC)
EGRESS = "203.0.113.9"
PRINTER, CAMERA, SERVER = "10.2.3.14", "10.2.3.15", "10.2.3.99"
MAC = "00:20:6b:aa:bb:cc"
CONFIG = '[organisation]\nname = "Contoso"\naccepted_domains = ["contoso.com"]\ntime_zone = "Europe/Madrid"\n'


def moments(number, every=timedelta(hours=5, minutes=17), start=START):
    return [start + every * n for n in range(number)]


def trace(folder, *senders):
    """Write a message trace: (name, client address, times, size) each."""
    columns = (
        "Received",
        "SenderAddress",
        "RecipientAddress",
        "Subject",
        "Status",
        "FromIP",
        "ToIP",
        "Size",
        "MessageId",
        "MessageTraceId",
    )
    with (folder / "trace.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        for name, address, times, size in senders:
            for n, at in enumerate(times):
                writer.writerow(
                    (
                        at.strftime("%Y-%m-%dT%H:%M:%S.0000000Z"),
                        name,
                        "ann@contoso.com",
                        f"{name} {n}",
                        "Delivered",
                        address,
                        "",
                        size,
                        f"<{n}.{name}>",
                        str(uuid5(NAMESPACE_URL, f"{name}/{n}")),
                    )
                )


def firewall(folder, *hosts, name="fw.log", nat=EGRESS):
    """Write a Palo Alto log by Madrid's clock: (address, times, octets) each."""
    lines = []
    for address, times, octets in hosts:
        for at in times:
            local = (at + timedelta(hours=1, seconds=9)).strftime("%Y/%m/%d %H:%M:%S")
            lines.append(
                f"<14>x pa 1,{local},0123,TRAFFIC,end,2561,{local},{address},52.101.73.1,{nat},52.101.73.1,mail,,,smtp,vsys1,trust,untrust,e1/1,e1/2,fwd,{local},77,1,50000,25,61000,25,0x40,tcp,allow,{octets + 900},{octets},900,70,{local},2,any,0,1,2"
            )
    (folder / name).write_text("\n".join(lines) + "\n")


def leases(folder, address=PRINTER, mac=MAC, name="PRN-3F-KM"):
    (folder / "dhcp.csv").write_text(
        f'"IPAddress","ScopeId","AddressState","ClientId","HostName"\n"{address}","10.2.3.0","ActiveReservation","{mac}","{name}.contoso.com"\n'
    )


def audit(folder, config=CONFIG):
    (folder / "portero.toml").write_text(config)
    return wiring.audit([folder], config=None, profile=Profile.STANDARD, progress=lambda _: None)


def sender(found, name="scan@contoso.com"):
    return next(each for each in found.senders if name in each.header_from)


def test_a_device_behind_nat_is_named_by_its_connections_its_lease_and_its_maker(tmp_path):
    times = moments(30)
    trace(
        tmp_path,
        ("scan@contoso.com", EGRESS, times, 40_000),
        ("cam@contoso.com", EGRESS, moments(30, start=START + timedelta(hours=2)), 9_000),
    )
    firewall(
        tmp_path, (PRINTER, times, 42_000), (CAMERA, moments(30, start=START + timedelta(hours=2)), 12_000)
    )
    leases(tmp_path)
    found = audit(tmp_path)
    printer = sender(found)
    assert str(printer.label) == "PRN-3F-KM (10.2.3.14, Konica Minolta)"
    assert printer.tie.settled
    assert "30 of 30" in str(printer.tie.why)
    assert str(sender(found, "cam@contoso.com").label) == "10.2.3.15"
    [reason] = [each for each in printer.because if each.code == "host-inside"]
    assert reason.weight < 0
    assert reason.origins


def test_two_hosts_that_could_be_it_are_both_said_and_neither_is_guessed(tmp_path):
    times = moments(30)
    trace(tmp_path, ("scan@contoso.com", EGRESS, times, 40_000))
    firewall(tmp_path, (PRINTER, times, 42_000), (CAMERA, times, 42_000))
    leases(tmp_path)
    one = sender(audit(tmp_path))
    assert {host.address for host in one.tie.hosts} == {PRINTER, CAMERA}
    assert not one.tie.settled
    assert "2 hosts" in str(one.tie.why)
    assert "PRN" not in str(one.label)
    assert not [each for each in one.because if each.code == "host-inside"]


def test_the_size_of_the_connection_tells_two_hosts_apart(tmp_path):
    times = moments(30)
    trace(tmp_path, ("scan@contoso.com", EGRESS, times, 4_000_000))
    firewall(tmp_path, (PRINTER, times, 4_200_000), (CAMERA, times, 12_000))
    leases(tmp_path)
    assert [host.address for host in sender(audit(tmp_path)).tie.hosts] == [PRINTER]


def test_a_host_that_is_always_connected_proves_nothing(tmp_path):
    trace(tmp_path, ("scan@contoso.com", EGRESS, moments(30), 4_000))
    minutes = [START - timedelta(hours=1) + timedelta(minutes=3 * n) for n in range(3400)]
    firewall(tmp_path, (SERVER, minutes, 42_000))
    one = sender(audit(tmp_path))
    assert not one.tie.settled
    assert "chance" in str(one.tie.why)


def test_a_burst_at_one_moment_proves_nothing(tmp_path):
    burst = [START + timedelta(days=3, seconds=n) for n in range(40)]
    trace(tmp_path, ("scan@contoso.com", EGRESS, burst, 4_000))
    firewall(tmp_path, (PRINTER, [*moments(80, every=timedelta(hours=2)), burst[0]], 42_000))
    assert not sender(audit(tmp_path)).tie.settled


def test_a_copy_from_elsewhere_is_not_given_the_devices_name(tmp_path):
    times = moments(30)
    trace(tmp_path, ("scan@contoso.com", "192.0.2.66", times, 40_000))
    firewall(tmp_path, (PRINTER, times, 42_000))
    leases(tmp_path)
    assert sender(audit(tmp_path)).tie is None


def test_without_a_zone_logs_of_local_time_are_not_compared_and_it_is_said(tmp_path):
    times = moments(30)
    trace(tmp_path, ("scan@contoso.com", EGRESS, times, 40_000))
    firewall(tmp_path, (PRINTER, times, 42_000))
    found = audit(tmp_path, CONFIG.replace('time_zone = "Europe/Madrid"\n', ""))
    assert sender(found).tie is None
    assert any("30 connections are not compared" in str(text) for text in found.assumptions)
    assert [host.address for host in found.hosts] == [PRINTER]


def test_a_relays_log_names_the_very_mail_behind_the_relay(tmp_path):
    trace(tmp_path, ("scan@contoso.com", EGRESS, moments(3), 40_000))
    lines = []
    for n in range(3):
        lines += [
            f"Nov  2 0{n}:00:00 relay postfix/smtpd[1]: 7EE66803{n}: client=unknown[{PRINTER}]",
            f"Nov  2 0{n}:00:01 relay postfix/cleanup[2]: 7EE66803{n}: message-id=<{n}.scan@contoso.com>",
            f"Nov  2 0{n}:00:02 relay postfix/smtp[4]: 7EE66803{n}: to=<ann@contoso.com>, relay=x.mail.protection.outlook.com[52.101.73.1]:25, delay=3, delays=0/0/0/3, dsn=2.0.0, status=sent (250 ok)",
        ]
    (tmp_path / "maillog").write_text("\n".join(lines) + "\n")
    leases(tmp_path)
    found = audit(tmp_path)
    assert str(sender(found).label) == "PRN-3F-KM (10.2.3.14, Konica Minolta)"
    assert "Message-ID" in str(sender(found).tie.why)
    # The printer spoke to the relay, so it opened no port to the internet.
    assert found.hosts[0].port_25 == 0


def test_hosts_that_open_port_25_are_listed_unless_they_are_registered_relays(tmp_path):
    trace(tmp_path, ("scan@contoso.com", EGRESS, moments(3), 40_000))
    firewall(tmp_path, (PRINTER, moments(30), 42_000), (SERVER, moments(20), 42_000))
    leases(tmp_path)
    relay = '[[network]]\nname = "relays"\ncidr = ["10.2.3.99/32"]\nuse = "relay"\n'
    found = audit(tmp_path, CONFIG + relay)
    shown = {each["address"]: each for each in audit_document(found, Renderer("es"))["hosts"]}
    assert (shown[PRINTER]["port_25_to_internet"], shown[PRINTER]["registered_relay"]) == (30, False)
    assert (shown[SERVER]["port_25_to_internet"], shown[SERVER]["registered_relay"]) == (20, True)
    assert shown[PRINTER]["egress"] == [EGRESS]
    [finding] = [each for each in found.findings if each.id == "NET-01"]
    assert (finding.outcome, "PRN-3F-KM" in str(finding.because)) == ("fail", True)
    for lang, words in (("en", "Hosts that open port 25"), ("es", "Equipos que abren el puerto 25")):
        page = render_report(found, lang)
        assert words in page
        assert "PRN-3F-KM (10.2.3.14, Konica Minolta)" in page


def test_strangers_that_knock_at_port_25_from_outside_are_no_hosts_of_ours(tmp_path):
    trace(tmp_path, ("scan@contoso.com", EGRESS, moments(3), 40_000))
    firewall(tmp_path, ("198.51.100.77", moments(30), 42_000), nat="0.0.0.0")
    assert audit(tmp_path).hosts == ()


def test_an_address_that_changed_hands_while_it_was_seen_has_no_certain_name(tmp_path):
    times = moments(30)
    trace(tmp_path, ("scan@contoso.com", EGRESS, times, 40_000))
    firewall(tmp_path, (PRINTER, times, 42_000))
    (tmp_path / "dhcpd.leases").write_text(
        "".join(
            f'lease {PRINTER} {{\n  starts 1 2026/11/0{day} 00:00:00;\n  hardware ethernet {mac};\n  client-hostname "{name}";\n}}\n'
            for day, mac, name in ((1, MAC, "PRN-3F-KM"), (5, "00:40:8c:00:00:01", "CAM-1"))
        )
    )
    one = sender(audit(tmp_path))
    assert one.tie.hosts[0].shared
    assert str(one.label) == PRINTER


@pytest.mark.parametrize("judgement", [Judgement.LEGITIMATE])
def test_a_known_host_speaks_for_its_sender(tmp_path, judgement):
    times = moments(30)
    trace(tmp_path, ("scan@contoso.com", EGRESS, times, 40_000))
    before = sender(audit(tmp_path))
    firewall(tmp_path, (PRINTER, times, 42_000))
    after = sender(audit(tmp_path))
    assert sum(each.weight for each in after.because) < sum(each.weight for each in before.because)
    assert after.judgement is judgement


def test_a_third_party_is_called_by_its_service_which_decides_nothing(tmp_path):
    columns = (
        "Timestamp",
        "NetworkMessageId",
        "SenderMailFromAddress",
        "SenderFromAddress",
        "SenderIPv4",
        "SenderIPv6",
        "RecipientEmailAddress",
        "Subject",
        "EmailDirection",
        "AuthenticationDetails",
        "Connectors",
    )
    with (tmp_path / "events.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        for n, at in enumerate(moments(12)):
            verdict = '{"SPF":"pass","DKIM":"pass","DMARC":"pass","CompAuth":"pass"}'
            writer.writerow(
                (
                    at.isoformat(),
                    str(uuid5(NAMESPACE_URL, str(n))),
                    "bounce@mail9.atl1.mcsv.net",
                    "news@contoso.com",
                    "198.51.100.4",
                    "",
                    "ann@contoso.com",
                    f"News {n}",
                    "Inbound",
                    verdict,
                    "",
                )
            )
    found = audit(tmp_path)
    one = sender(found, "news@contoso.com")
    assert (str(one.label), one.service) == ("Mailchimp, writing as news@contoso.com", "Mailchimp")
    assert sum(each.weight for each in one.because if each.code == "service-named") == 0


def test_a_map_of_networks_names_a_senders_network_and_changes_nothing_else(tmp_path):
    folder = tmp_path / "with"
    bare = tmp_path / "without"
    for each in (folder, bare):
        each.mkdir()
        trace(each, ("scan@contoso.com", EGRESS, moments(40), 40_000))
    first = EGRESS.rpartition(".")[0]
    (folder / "ip2asn.tsv").write_text(f"{first}.0\t{first}.255\t64500\tES\tCONTOSO-NET\n")
    plain, found = audit(bare), audit(folder)
    assert [gap for gap in found.gaps if gap.origin.document == "ip2asn.tsv"] == []
    one, other = sender(found), sender(plain)
    (said,) = [each for each in one.because if each.code == "network-named"]
    assert "the networks of AS64500 CONTOSO-NET." in str(said.text)
    assert said.weight == 0
    assert (one.judgement, one.confidence, one.label) == (other.judgement, other.confidence, other.label)
