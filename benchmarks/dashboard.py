"""
How quickly the dashboard answers for 20,000 senders with 100,000 flows, to one reader and to fifty at once.

Run from a checkout: python benchmarks/dashboard.py [SENDERS [SECONDS]]
It prints the time of each page at the server, of a filter, and the 95th percentile under load; nothing is measured
over a network.
"""

from __future__ import annotations

import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import httpx2
import uvicorn

from portero.app.evidence import Case, Evidence, Inventory
from portero.core.audit import Totals
from portero.core.dns import Dns
from portero.core.evidence import Origin
from portero.core.exchange.settings import Tenant, read_settings
from portero.core.flow import Distinct, Facts, Flow, FlowKey, merge_facts
from portero.core.ledger import Run
from portero.core.register import Configuration
from portero.core.sender import DecidedBy, Judgement, Kind, Reason, Sender
from portero.core.sender import Path as Way
from portero.core.text import Text
from portero.dashboard import pack, unpack
from portero.engine.mails import read_mails
from portero.faces.web.application import create
from portero.faces.web.cases import Cases
from portero.faces.web.desk import WebDesk
from portero.faces.web.guard import Door, Guard
from portero.faces.web.jobs import Jobs
from portero.faces.web.limits import Limit
from portero.faces.web.ports import Read, Work
from portero.store.state.database import open_database
from portero.store.state.state import State

NOW = datetime(2026, 11, 24, tzinfo=UTC)
READERS = 50


def a_sender(n: int) -> Sender:
    """Make a sender with five flows, of any kind and judgement."""
    address = f"10.{n // 65536}.{n // 256 % 256}.{n % 256}"
    flows = []
    for k in range(5):
        days = {
            date(2026, 9, 1) + timedelta(days=random.randrange(80)): random.randrange(1, 9) for _ in range(6)
        }
        facts = Facts(
            mails=sum(days.values()), witnessed={"message-trace-v2": sum(days.values())},
            recipients=Distinct((random.randrange(2**60),)), inside=3, first_seen=NOW - timedelta(days=80),
            last_seen=NOW - timedelta(days=k), days=days, shapes={f"scan {n} #": 5},
            origins={"message-trace-v2": (Origin("trace.csv", n * 5 + k),)},
        )  # fmt: skip
        flows.append(Flow(FlowKey(address, "contoso.com", f"dev{n}@contoso.com", None, f"host{k}"), facts))
    facts = merge_facts(each.facts for each in flows)
    return Sender(
        id=f"s-{n:012x}", label=Text("{name} from {address}", name=f"dev{n}@contoso.com", address=address),
        kind=random.choice(tuple(Kind)), judgement=random.choice(tuple(Judgement)), confidence=0.9,
        decided_by=DecidedBy.EVIDENCE, path=random.choice((Way.DIRECT_SEND, Way.CONNECTOR, Way.FOREIGN_ENVELOPE)),
        connector=None, client_networks=(f"{address}/32",), mail_from_domains=("contoso.com",),
        header_from_domains=("contoso.com",), header_from=(f"dev{n}@contoso.com",), ehlo=("host0",), mails=facts.mails,
        outside=0, witnesses=facts.witnessed, recipients=5, first_seen=facts.first_seen, last_seen=facts.last_seen,
        because=(Reason("prior", Text("{n} is a number.", n=n), -1.0),), flows=tuple(flows), facts=facts,
    )  # fmt: skip


def a_case(senders: int) -> Case:
    """Make an organisation of that many senders."""
    random.seed(1)
    evidence = Evidence(Tenant(), Dns(), (), (), Configuration("Large", ("contoso.com",)))
    found = tuple(a_sender(n) for n in range(senders))
    total = sum(each.mails for each in found)
    settings = read_settings(evidence.tenant, ("contoso.com",))
    window = (NOW - timedelta(days=80), NOW)
    return Case(evidence, Inventory(settings, found, (), Totals(total, 0, total), window, ()))


_Made = TypeVar("_Made")


def timed(what: str, work: Callable[[], _Made]) -> _Made:
    """Print how long something takes."""
    started = time.perf_counter()
    made = work()
    print(f"{what:42} {time.perf_counter() - started:8.2f} s")
    return made


def main(senders: int, seconds: float) -> None:
    """Measure and print."""
    folder = Path(tempfile.mkdtemp())
    case = timed(f"making {senders:,} senders", lambda: a_case(senders))
    content = timed("packing the case", lambda: pack(case))
    print(f"{'size of the packed case':42} {len(content) / 1e6:8.2f} MB")
    state = State(open_database(f"sqlite:///{folder / 'state.db'}"))
    work = Work(
        lambda *_: Read(b"", b""),
        unpack,
        lambda *_: {},
        lambda *_: (),
        lambda _: b"",
        lambda *_: (),
        read_mails,
    )
    desk = WebDesk(state, work, Cases(state, work), Jobs(state), folder)
    organisation = state.add_organisation("Large", "Ana", NOW).id
    state.add_run(Run("r-1", organisation, NOW, "Ana", (), 1, senders, NOW, NOW), content, NOW)
    owner = state.person("local", "owner", "Ana", NOW, owner=True)
    now = datetime.now(UTC)
    cookies = {"portero": state.add_session(owner.id, now + timedelta(hours=1), now)}
    server = create(desk, Door(frozenset({"127.0.0.1"})))
    for each in server.user_middleware:
        if each.cls is Guard:
            # The readers share one address here, and it is the pages that are measured.
            each.kwargs["calls"] = Limit(10**9, 10**6, time.monotonic)
    running = uvicorn.Server(uvicorn.Config(server, port=0, log_level="error"))
    threading.Thread(target=running.run, daemon=True).start()
    while not running.started:
        time.sleep(0.05)
    port = running.servers[0].sockets[0].getsockname()[1]
    client = httpx2.Client(base_url=f"http://127.0.0.1:{port}", cookies=cookies, timeout=60)
    root = f"/o/{organisation}"

    def opened() -> None:
        while client.get(f"{root}/").status_code == 503:
            time.sleep(0.5)

    timed("opening it (beside requests)", opened)
    pages = {
        "overview": "/", "senders": "/senders", "page 300 of senders": "/senders?page=300", "filter by text": "/senders?q=dev1234",
        "filter by facet": "/senders?judgement=abuse&path=direct-send", "sort by name": "/senders?sort=label&order=up",
        "group by network": "/senders?group=network", "one sender": "/senders/s-00000000000a",
        "rehearse": "/rehearse", "plan": "/plan", "findings": "/findings", "findings, strict": "/findings?profile=strict", "one finding": "/findings/DS-01",
        "mails behind a number": "/senders/s-00000000000a/mails", "alerts": "/alerts", "evidence": "/evidence",
        "messages": "/messages",
    }  # fmt: skip
    for name, path in pages.items():
        took: list[float] = []
        for _ in range(6):
            started = time.perf_counter()
            answer = client.get(root + path)
            took.append(time.perf_counter() - started)
            assert answer.status_code == 200, answer.text[:300]
        first, best = took[0], sorted(took[1:])[2]
        print(
            f"{name:42} first {first * 1000:7.0f} ms, then {best * 1000:6.0f} ms, {len(answer.content) / 1000:6.0f} kB"
        )
    _load(port, cookies, root, list(pages.values()), seconds)


def _load(port: int, cookies: dict[str, str], root: str, paths: list[str], seconds: float) -> None:
    took: list[float] = []
    wrong: list[int] = []
    until = time.monotonic() + seconds

    def read(n: int) -> None:
        order = random.Random(n)
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", cookies=cookies, timeout=60) as client:
            while time.monotonic() < until:
                started = time.perf_counter()
                status = client.get(root + order.choice(paths)).status_code
                took.append(time.perf_counter() - started)
                if status != 200:
                    wrong.append(status)
                # A reader looks at a page before asking for the next.
                time.sleep(order.uniform(1, 4))

    readers = [threading.Thread(target=read, args=(n,)) for n in range(READERS)]
    for each in readers:
        each.start()
    for each in readers:
        each.join()
    took.sort()
    p50, p95 = took[len(took) // 2], took[int(len(took) * 0.95)]
    print(
        f"{READERS} readers for {seconds:.0f} s: {len(took)} pages, {len(wrong)} errors, p50 {p50 * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000, float(sys.argv[2]) if len(sys.argv) > 2 else 60.0)
