"""DNS of the organisation and of those it names: as zone files, or as JSON lines. Source: reference data-formats 12."""

from __future__ import annotations

import json

from portero.proving.organisation import Organisation

_SERVICE_SPF = ("spf.protection.outlook.com", "v=spf1 ip4:40.92.0.0/15 ip4:40.107.0.0/16 -all")


def records(organisation: Organisation) -> dict[tuple[str, str], tuple[str, ...]]:
    """Give answers by (name, type): an empty tuple where the name exists without the type."""
    held: dict[tuple[str, str], tuple[str, ...]] = {}
    for domain in organisation.domains:
        name = domain.ascii_name
        edge = f"{name.replace('.', '-')}.mail.protection.outlook.com."
        gateway = organisation.mx == "gateway" and not domain.initial
        held[name, "MX"] = ("10 mx.sieve.example.",) if gateway else (f"0 {edge}",)
        held[name, "TXT"] = (domain.spf,) if domain.spf else ()
        held[f"_dmarc.{name}", "TXT"] = (f"v=DMARC1; p={domain.policy}",) if domain.policy else ()
    held[_SERVICE_SPF[0], "TXT"] = (_SERVICE_SPF[1],)
    return {**held, **organisation.answers}


def json_lines(organisation: Organisation) -> bytes:
    """Give the answers in the contract's form, one question a line; a missing name is NXDOMAIN."""
    lines = []
    for (name, kind), answers in records(organisation).items():
        status = "NXDOMAIN" if not answers and name.startswith("_dmarc.") else "NOERROR"
        lines.append(json.dumps({"name": name, "type": kind, "answers": list(answers), "status": status}))
    return ("\n".join(lines) + "\n").encode("utf-8")


def zones(organisation: Organisation) -> dict[str, bytes]:
    """Give one zone file for each domain of the organisation, by file name; the initial domain is Microsoft's."""
    files = {}
    for domain in organisation.domains:
        if domain.initial or any(
            domain.ascii_name.endswith(f".{held.ascii_name}") for held in organisation.domains
        ):
            continue
        origin = domain.ascii_name
        lines = [
            f"$ORIGIN {origin}.",
            "$TTL 3600",
            "@ IN SOA ns1.dns.example. hostmaster.dns.example. ( 2026112401 7200 3600 1209600 300 )",
            "@ IN NS ns1.dns.example.",
        ]
        for (name, kind), answers in records(organisation).items():
            if name != origin and not name.endswith(f".{origin}"):
                continue
            owner = "@" if name == origin else name.removesuffix(f".{origin}")
            lines += [f"{owner} IN {kind} {_data(kind, answer)}" for answer in answers]
        files[f"{origin}.zone"] = ("\n".join(lines) + "\n").encode("utf-8")
    return files


def _data(kind: str, answer: str) -> str:
    """Split TXT into strings of at most 255 octets. Source: RFC 1035 section 3.3."""
    if kind != "TXT":
        return answer
    return " ".join(f'"{answer[first : first + 250]}"' for first in range(0, len(answer), 250))
