"""What is seen of a running relay: metrics, readiness, the audit's chain."""

import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from portero.relay import use_cases
from portero.relay.audit import Trail, verify
from support.postfix import free_port
from support.relay import CONFIG, MESSAGE, Device, hop, running


def page(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, ""


def test_metrics_health_and_readiness(tmp_path: Path) -> None:
    port = free_port()
    config = CONFIG.replace("free_octets = 0", f'free_octets = 0\nstatus = "127.0.0.1:{port}"')
    with hop() as far, running(tmp_path, far.port, config=config) as relay, Device(relay.port) as device:
        device.mail(MESSAGE, "a@inside.test")
        device.mail(MESSAGE, "a@inside.test", sender="x@other.test")
        status, metrics = page(port, "/metrics")
        assert status == 200
        assert "portero_relay_accepted_total 2.0" in metrics
        assert "portero_relay_quarantined_total 1.0" in metrics
        assert 'portero_relay_way_up{way="hop"}' in metrics
        assert page(port, "/healthz")[0] == 200
        assert page(port, "/readyz")[0] == 200
        assert page(port, "/other")[0] == 404


def test_a_disk_without_room_is_told(tmp_path: Path) -> None:
    port = free_port()
    config = CONFIG.replace("free_octets = 0", f'free_octets = 999999999999999\nstatus = "127.0.0.1:{port}"')
    with hop() as far, running(tmp_path, far.port, config=config) as relay, Device(relay.port) as device:
        assert device.mail(MESSAGE, "a@inside.test").startswith("452 4.3.1")
        assert page(port, "/readyz")[0] == 503
        assert page(port, "/healthz")[0] == 200
        held = use_cases.queue(tmp_path / "relay.toml", (), 10)
        assert (held["running"], held["accepting"]) == (True, False)
        end = time.monotonic() + 60
        while "takes-no-mail" not in relay.log and time.monotonic() < end:
            time.sleep(0.05)
        assert "999999999999999 octets" in relay.log


@pytest.mark.parametrize("change", ["edit", "cut", "swap", "insert"])
def test_a_change_to_the_past_shows(tmp_path: Path, change: str) -> None:
    path = tmp_path / "audit.jsonl"
    trail = Trail(path)
    trail.write([{"n": n} for n in range(5)])
    trail.close()
    assert verify(path).broken == ()
    lines = path.read_text().splitlines(keepends=True)
    if change == "edit":
        lines[2] = lines[2].replace('"n":2', '"n":9')
    elif change == "cut":
        del lines[2]
    elif change == "swap":
        lines[1], lines[2] = lines[2], lines[1]
    else:
        lines.insert(2, lines[1])
    path.write_text("".join(lines))
    assert verify(path).broken


def test_a_line_torn_by_a_crash_is_owned_up_to(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    trail = Trail(path)
    trail.write([{"n": 1}, {"n": 2}])
    trail.close()
    path.write_bytes(path.read_bytes() + b'{"n":3,"pr')
    trail = Trail(path)
    trail.write([{"n": 4}])
    trail.close()
    found = verify(path)
    assert (found.records, found.broken, found.torn) == (4, (), 1)


def test_wherever_a_crash_cuts_it_the_chain_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    trail = Trail(path)
    trail.write([{"n": 1}, {"n": "é"}, {"n": 3}])
    trail.close()
    whole = path.read_bytes()
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        trail = Trail(path)
        trail.write([{"n": 4}])
        trail.close()
        assert verify(path).broken == (), whole[:cut]
        trail = Trail(path)
        trail.write([{"n": 5}])
        trail.close()
        assert verify(path).broken == ()
