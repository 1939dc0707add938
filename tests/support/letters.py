"""Messages as Exchange Online stamps them, made from the reference's grammar (exchange-online 4.2 to 4.9)."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import zxingcpp
from PIL import Image

OWN = "contoso.com"
DOOR = "AM4PEPF00027A5F.mail.protection.outlook.com"


def text_part(text: str, kind: str = "plain") -> str:
    return f"Content-Type: text/{kind}; charset=utf-8\r\n\r\n{text}\r\n"


def file_part(name: str, content_type: str, octets: bytes) -> str:
    coded = base64.encodebytes(octets).decode()
    return (
        f'Content-Type: {content_type}; name="{name}"\r\nContent-Disposition: attachment; filename="{name}"\r\n'
        f"Content-Transfer-Encoding: base64\r\n\r\n{coded}"
    )


def body(*parts: str) -> str:
    if len(parts) == 1:
        return parts[0]
    inner = "".join(f"--b1\r\n{part}\r\n" for part in parts)
    return f'Content-Type: multipart/mixed; boundary="b1"\r\n\r\n{inner}--b1--\r\n'


def qr(text: str) -> bytes:
    """Give a QR code as PNG."""
    image = zxingcpp.write_barcode_to_image(
        zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode), scale=6, add_quiet_zones=True
    )
    out = io.BytesIO()
    Image.fromarray(image).save(out, "PNG")
    return out.getvalue()


def pdf(*pictures: bytes) -> bytes:
    """Give a PDF with one picture a page, or with an empty page."""
    pages = [Image.open(io.BytesIO(each)).convert("RGB") for each in pictures] or [
        Image.new("RGB", (600, 800), "white")
    ]
    out = io.BytesIO()
    pages[0].save(out, "PDF", save_all=True, append_images=pages[1:])
    return out.getvalue()


def arrived(
    *,
    sender: str = f"scanner@{OWN}",
    to: str = f"ana@{OWN}",
    name: str = "",
    mail_from: str | None = None,
    client_ip: str = "203.0.113.77",
    helo: str = "mail.vps.example",
    subject: str = "Hello",
    content: str = "",
    spf: str = "fail",
    dkim: str = "none (message not signed) header.d=none",
    dmarc: str = "fail action=none",
    compauth: str = "fail reason=601",
    auth_as: str = "Anonymous",
    directionality: str = "Incoming",
    entity: str = "Internet",
    tls: bool = False,
    extra: Sequence[str] = (),
    below: Sequence[str] = (),
    door: str = DOOR,
) -> bytes:
    """Give a message that entered at the public door."""
    p1 = sender if mail_from is None else mail_from
    p1_domain = p1.rpartition("@")[2] or helo
    how = "smtp.mailfrom" if p1 else "smtp.helo"
    version = " (version=TLS1_2, cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384)" if tls else ""
    fields = [
        (
            "Received: from AS8PR01MB7511.eurprd01.prod.exchangelabs.com (2603:10a6:20b:2a6::9) by"
            " DU0PR01MB9123.eurprd01.prod.exchangelabs.com with HTTPS; Mon, 23 Nov 2026 09:12:08 +0000"
        ),
        (
            "Received: from AM4PEPF00027A5F.eurprd04.prod.outlook.com (2603:10a6:20b:2a6:cafe::3b) by"
            " AS8PR01CA0022.outlook.office365.com (2603:10a6:20b:2a6::9) with Microsoft SMTP Server (version=TLS1_3,"
            " cipher=TLS_AES_256_GCM_SHA384) id 15.20.8158.24 via Frontend Transport; Mon, 23 Nov 2026 09:12:07 +0000"
        ),
        (
            f"Authentication-Results: spf={spf} (sender IP is {client_ip})\r\n {how}={p1_domain}; dkim={dkim};dmarc={dmarc}"
            f" header.from={sender.rpartition('@')[2]};compauth={compauth}"
        ),
        (
            f"Received: from {helo} ({client_ip}) by\r\n {door} (10.167.16.53) with Microsoft SMTP Server{version} id"
            " 15.20.8158.24 via Frontend Transport; Mon, 23 Nov 2026 09:12:06 +0000"
        ),
        *below,
        f"From: {name} <{sender}>" if name else f"From: {sender}",
        f"To: {to}",
        f"Subject: {subject}",
        "Date: Mon, 23 Nov 2026 09:12:05 +0000",
        "Message-ID: <7f1a@mail.example>",
        "MIME-Version: 1.0",
        f"Return-Path: <{p1}>" if p1 else "Return-Path: <>",
        "X-MS-Exchange-Organization-Network-Message-Id: 0a9d6f0e-6a63-4f07-9a4f-0f5dc3c8a001",
        f"X-MS-Exchange-Organization-MessageDirectionality: {directionality}",
        f"X-MS-Exchange-Organization-AuthSource: {door}",
        f"X-MS-Exchange-Organization-AuthAs: {auth_as}",
        "X-MS-Exchange-CrossTenant-Id: 11111111-2222-3333-4444-555555555555",
        f"X-MS-Exchange-CrossTenant-AuthAs: {auth_as}",
        f"X-MS-Exchange-CrossTenant-FromEntityHeader: {entity}",
        *extra,
    ]
    return ("\r\n".join(fields) + "\r\n" + (content or text_part("Hello.\r\n"))).encode()
