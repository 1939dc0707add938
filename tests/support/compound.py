"""Compound files as old Office and Outlook write them, from their streams. Source: MS-CFB 2.1 to 2.6."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

_SECTOR = 512
_FREE, _END, _FAT, _NONE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF
# Shorter streams would have to lie in a stream of their own; they are filled up with zeros instead.
_SHORTEST = 4096


@dataclass
class _Entry:
    name: str
    kind: int  # 1 storage, 2 stream, 5 root
    octets: bytes = b""
    children: dict[str, _Entry] = field(default_factory=dict)
    after: int = _NONE
    child: int = _NONE
    start: int = _END


def compound(streams: dict[str, bytes]) -> bytes:
    """Write streams by path, parts separated by ``/``, as a compound file of version 3; short ones end in zeros."""
    root = _Entry("Root Entry", 5)
    for path, octets in streams.items():
        *folders, name = path.split("/")
        place = root
        for folder in folders:
            place = place.children.setdefault(folder, _Entry(folder, 1))
        place.children[name] = _Entry(name, 2, octets.ljust(_SHORTEST, b"\0"))
    entries = [root]
    _number(root, entries)
    sectors: list[bytes] = []
    fat: list[int] = []

    def put(octets: bytes) -> int:
        first = len(sectors)
        pieces = [octets[at : at + _SECTOR].ljust(_SECTOR, b"\0") for at in range(0, len(octets), _SECTOR)]
        sectors.extend(pieces)
        fat.extend([*range(first + 1, first + len(pieces)), _END])
        return first

    for each in entries:
        if each.kind == 2:
            each.start = put(each.octets)
    directory = put(b"".join(_written(each) for each in entries))
    tables = 1
    while (len(fat) + tables) * 4 > tables * _SECTOR:
        tables += 1
    places = list(range(len(fat), len(fat) + tables))
    fat += [_FAT] * tables
    fat += [_FREE] * (tables * _SECTOR // 4 - len(fat))
    sectors += [struct.pack("<128I", *fat[at : at + 128]) for at in range(0, len(fat), 128)]
    head = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + bytes(16)
        + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
        + bytes(6)
    )
    head += struct.pack("<IIIIIIIII", 0, tables, directory, 0, _SHORTEST, _END, 0, _END, 0)
    return head + struct.pack("<109I", *places, *[_FREE] * (109 - tables)) + b"".join(sectors)


def _number(place: _Entry, entries: list[_Entry]) -> None:
    """Chain a storage's children to the right, in the order that readers search by: length, then letters."""
    before: _Entry | None = None
    for name in sorted(place.children, key=lambda name: (len(name), name.upper())):
        each = place.children[name]
        entries.append(each)
        if before is None:
            place.child = len(entries) - 1
        else:
            before.after = len(entries) - 1
        before = each
        _number(each, entries)


def _written(each: _Entry) -> bytes:
    name = (each.name + "\0").encode("utf-16-le")
    return (
        name.ljust(64, b"\0")
        + struct.pack("<HBBIII", len(name), each.kind, 1, _NONE, each.after, each.child)
        + bytes(36)
        + struct.pack(
            "<IQ", each.start if each.kind == 2 else 0 if each.kind == 1 else _END, len(each.octets)
        )
    )


def outlook(head: str, text: str, **attachments: bytes) -> bytes:
    """Write a .msg with internet headers, text and attachments by name. Source: MS-OXMSG 2.1 and 2.2."""
    return compound(_message(head, text, attachments))


def outlook_report(head: str, text: str, **attachments: bytes) -> bytes:
    """Write a .msg that carries such a .msg as Outlook attaches one: as a storage."""
    inner = _message(head, text, attachments)
    place = "__attach_version1.0_#00000000"
    return compound(
        {
            **_message("From: ana@contoso.com\r\nSubject: 3|Reported\r\n\r\n", "Please look.", {}),
            f"{place}/__properties_version1.0": b"",
            f"{place}/__substg1.0_3001001F": "reported.msg".encode("utf-16-le"),
            **{f"{place}/__substg1.0_3701000D/{path}": octets for path, octets in inner.items()},
        }
    )


def _message(head: str, text: str, attachments: dict[str, bytes]) -> dict[str, bytes]:
    held = {
        "__properties_version1.0": b"",
        "__substg1.0_007D001F": head.encode("utf-16-le"),
        "__substg1.0_1000001F": text.encode("utf-16-le"),
    }
    for number, (name, octets) in enumerate(attachments.items()):
        place = f"__attach_version1.0_#{number:08X}"
        held |= {
            f"{place}/__properties_version1.0": b"",
            f"{place}/__substg1.0_3707001F": name.encode("utf-16-le"),
            f"{place}/__substg1.0_37010102": octets,
        }
    return held
