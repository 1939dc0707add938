"""How many SPF evaluations a CPU second holds, ours against pyspf's where that is installed."""

from __future__ import annotations

import time
from collections.abc import Callable

from portero.core.dns import Dns, DnsAnswer, DnsStatus
from portero.core.mail.spf import evaluate

SECONDS = 2.0
RECORDS = {
    "contoso.com": (
        "v=spf1 ip4:203.0.113.8/29 include:spf.protection.outlook.com include:_spf.vendor.example a:mail.contoso.com -all"
    ),
    "spf.protection.outlook.com": (
        "v=spf1 ip4:40.92.0.0/15 ip4:40.107.0.0/16 ip4:52.100.0.0/15 ip4:52.102.0.0/16 ip4:52.103.0.0/17 "
        "ip4:104.47.0.0/17 ip6:2a01:111:f400::/48 ip6:2a01:111:f403::/49 ip6:2a01:111:f403:8000::/51 -all"
    ),
    "_spf.vendor.example": "v=spf1 include:a.vendor.example include:b.vendor.example ~all",
    "a.vendor.example": "v=spf1 ip4:198.51.100.0/24 ~all",
    "b.vendor.example": "v=spf1 ip4:192.0.2.0/25 ~all",
}
ADDRESS = ("mail.contoso.com", "192.0.2.200")
CLIENTS = ("203.0.113.10", "40.107.22.53", "192.0.2.7", "192.0.2.200", "198.18.0.1")


def rate(check: Callable[[str], object]) -> float:
    """Give evaluations per CPU second."""
    for client in CLIENTS:
        check(client)
    done, start = 0, time.process_time()
    while time.process_time() - start < SECONDS:
        for client in CLIENTS:
            check(client)
        done += len(CLIENTS)
    return done / (time.process_time() - start)


def ours() -> Callable[[str], object]:
    """Evaluate over recorded answers."""
    answers = [DnsAnswer(name, "TXT", DnsStatus.NOERROR, (text,)) for name, text in RECORDS.items()]
    dns = Dns([*answers, DnsAnswer(ADDRESS[0], "A", DnsStatus.NOERROR, (ADDRESS[1],))])
    return lambda client: (
        evaluate(dns, client, "contoso.com", "scan@contoso.com", "scanner.contoso.com").result
    )


def theirs() -> Callable[[str], object] | None:
    """Evaluate with pyspf over the same answers; None where it is not installed."""
    try:
        import spf
    except ImportError:
        return None
    found = {(name, "TXT"): [((name, "TXT"), (text.encode(),))] for name, text in RECORDS.items()}
    found[ADDRESS[0], "A"] = [((ADDRESS[0], "A"), ADDRESS[1])]
    spf.DNSLookup = lambda name, kind, *_args, **_options: found.get((name.rstrip("."), kind), [])
    return lambda client: spf.check2(i=client, s="scan@contoso.com", h="scanner.contoso.com")[0]


if __name__ == "__main__":
    mine = rate(ours())
    print(f"ours   {mine:10,.0f} evaluations per CPU second")
    other = theirs()
    if other is None:
        print("pyspf  is not installed")
    else:
        same = all(str(ours()(client)) == other(client) for client in CLIENTS)
        print(f"pyspf  {rate(other):10,.0f} evaluations per CPU second; same verdicts: {same}")
        print(f"ratio  {mine / rate(other):10.1f}")
