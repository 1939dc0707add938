"""One small, sound document for every source: what hostile input and fuzzing start from."""

from __future__ import annotations

import json

_GUID = "a5e6dc0f-23df-4b20-d240-08dab38944a1"


def _table(*rows: dict[str, object]) -> str:
    quoted = [
        ",".join(f'"{str(cell).replace(chr(34), chr(34) * 2)}"' for cell in row.values()) for row in rows
    ]
    return "\n".join([",".join(f'"{name}"' for name in rows[0]), *quoted, ""])


_RECEIVED = (
    "Received: from mfp (192.0.2.7) by DB5EUR03FT047.mail.protection.outlook.com\n (10.152.20.1) with Microsoft SMTP Server;"
    " Fri, 20 Nov 2026 10:00:00 +0000\n"
)
_MAIL = (
    f"{_RECEIVED}Authentication-Results: spf=fail (sender IP is 192.0.2.7)\n smtp.mailfrom=contoso.com; dkim=none;"
    " dmarc=fail action=oreject\n header.from=contoso.com;compauth=fail reason=000\nFrom: Scan <scan@contoso.com>\n"
    "To: u@contoso.com\nSubject: =?utf-8?q?Esc=C3=A1ner?=\nMessage-ID: <a@mfp>\nDate: Fri, 20 Nov 2026 10:00:00 +0000\n"
    f"X-MS-Exchange-Organization-Network-Message-Id: {_GUID}\nX-MS-Exchange-Organization-AuthAs: Anonymous\n"
    "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nbody\n--b\nContent-Type: application/json;\n"
    ' name=x.json\n\n{"a": 1}\n--b--\n'
)
_FEEDBACK = (
    "From: d@r.example\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\n\ntext\n--b\n"
    "Content-Type: message/feedback-report\n\nFeedback-Type: auth-failure\nSource-IP: 192.0.2.7\nReported-Domain: contoso.com\n"
    "Auth-Failure: dmarc\n\n--b\nContent-Type: message/rfc822\n\nFrom: a@contoso.com\nSubject: x\n\n--b--\n"
)
_AUDITED = {
    "RecordType": 28,
    "Operation": "TIMailData",
    "Workload": "ThreatIntelligence",
    "CreationTime": "2026-11-20T10:00:00",
    "NetworkMessageId": _GUID,
    "P1Sender": "a@contoso.com",
    "Recipients": ["u@contoso.com"],
    "AuthDetails": [{"Name": "SPF", "Value": "fail"}],
}
_EXTENDED = {
    "date_time_utc": "2026-11-20T10:00:00Z",
    "connector_id": "S\\Default S",
    "source": "SMTP",
    "event_id": "RECEIVE",
    "message_id": "<a@x>",
    "network_message_id": _GUID,
    "recipient_address": "u@contoso.com",
    "total_bytes": 1,
    "message_subject": "x",
    "sender_address": "a@contoso.com",
    "return_path": "<>",
    "directionality": "Incoming",
    "original_client_ip": "",
    "custom_data": "S:FromEntity=Internet;S:SFA=SUM|SFV=SPM|CIP=192.0.2.7|CAT=SPOOF|",
}
_DMARC = (
    "<?xml version='1.0'?><feedback><report_metadata><org_name>r</org_name><report_id>1</report_id><date_range><begin>1"
    "</begin><end>2</end></date_range></report_metadata><policy_published><domain>contoso.com</domain><p>none</p>"
    "</policy_published><record><row><source_ip>192.0.2.7</source_ip><count>2</count><policy_evaluated><disposition>none"
    "</disposition></policy_evaluated></row><identifiers><header_from>contoso.com</header_from></identifiers></record></feedback>"
)
_ZEEK = "#separator \\x09\n#unset_field\t-\n#path\t{path}\n#fields\t{fields}\n{row}\n"

EXEMPLARS: dict[str, str] = {
    "mta-sts-policy": "version: STSv1\nmode: enforce\nmx: *.contoso.com\nmax_age: 604800\n",
    "audit-log": _table({"RecordType": "28", "Operations": "TIMailData", "AuditData": json.dumps(_AUDITED)}),
    "cef-traffic": "Nov 20 10:00:00 fw CEF:0|P|PAN-OS|11.1|end|TRAFFIC|1|rt=1795168800000 src=10.2.3.14 dst=52.101.73.1 "
    "spt=50000 dpt=25 proto=tcp act=allow\n",
    "cisco-asa": "Nov 20 2026 10:00:00 fw : %ASA-6-302013: Built outbound TCP connection 7 for outside:52.101.73.1/25 "
    "(52.101.73.1/25) to inside:10.2.3.14/50000 (203.0.113.9/50000)\n",
    "configuration-file": "[organisation]\nname = 'x'\n",
    "connector-report": _table(
        {
            "date_time_utc": "2026-11-20T10:00:00Z",
            "message_id": "<a@x>",
            "sender_address": "a@contoso.com",
            "connector_name": "",
            "tls_version": "No Tls",
        }
    ),
    "connector-volumes": _table(
        {"Date": "2026-11-20T00:00:00Z", "Connector direction and name": "In A", "No TLS": "1", "Volume": "2"}
    ),
    "dhcp-log": "Nov 20 10:00:00 gw dhcpd[1]: DHCPACK on 10.2.3.14 to 00:20:6b:aa:bb:cc (PRN-3F-KM) via em0\n",
    "dmarc-aggregate": _DMARC,
    "dmarc-failure": _FEEDBACK,
    "dns-answers": '{"name": "contoso.com", "type": "TXT", "answers": ["v=spf1 -all"], "status": "NOERROR"}\n',
    "dsc-export": 'Configuration X\n{\n  EXOInboundConnector "a"\n  {\n    Identity = "a";\n    Enabled = $True;\n'
    '    SenderIPAddresses = @("192.0.2.1");\n    ConnectorType = "Partner";\n  }\n}\n',
    "email-events": _table(
        {
            "Timestamp": "2026-11-20T10:00:00Z",
            "NetworkMessageId": _GUID,
            "SenderFromAddress": "a@contoso.com",
            "SenderMailFromAddress": "a@contoso.com",
            "AuthenticationDetails": '{"SPF":"fail"}',
            "Connectors": "",
        }
    ),
    "exchange-protocol": "#Fields: date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,"
    "context\n2026-01-05T10:00:00.000Z,R,08DC000000000001,0,10.0.0.9:25,10.2.3.1:5,+,,\n"
    "2026-01-05T10:00:00.000Z,R,08DC000000000001,1,10.0.0.9:25,10.2.3.1:5,<,MAIL FROM:<a@contoso.com>,\n"
    "2026-01-05T10:00:01.000Z,R,08DC000000000001,2,10.0.0.9:25,10.2.3.1:5,-,,\n",
    "exchange-tracking": "#Fields: date-time,client-ip,client-hostname,server-ip,server-hostname,source-context,connector-id,"
    "source,event-id,internal-message-id,message-id\n2026-01-05T10:00:00.123Z,10.2.3.14,p,10.0.0.9,e,c,r,SMTP,RECEIVE,7,<a@b>\n",
    "exim-log": "2026-11-20 10:00:00 1abcde-000001-AB <= scan@contoso.com H=prn (PRN) [10.2.3.14] P=esmtp S=48213 id=m1@prn\n"
    '2026-11-20 10:00:01 1abcde-000001-AB => u@contoso.com R=smart T=remote_smtp H=x.example [52.101.73.1] C="250 ok"\n',
    "filterlog": "Nov 20 10:00:00 filterlog[1]: 5,,,1000000103,em0,match,pass,out,4,0x0,,64,1,0,DF,6,tcp,60,10.2.3.14,"
    "52.101.73.1,50000,25,0,S,1,,1,,mss\n",
    "foreign-domains": _table(
        {
            "Date": "2026-11-20T00:00:00Z",
            "Inbound connector name": "A",
            "Sender domain": "x.example",
            "Count": "2",
        }
    ),
    "fortigate-traffic": 'date=2026-11-20 time=10:00:00 devname="fw" devid="FG100" eventtime=1795168800123456789 tz="+0100" logid="0000000013" '
    'type="traffic" subtype="forward" srcip=10.2.3.14 srcport=50000 dstip=52.101.73.1 dstport=25 proto=6 action="close"\n',
    "ipam": "address,status,dns_name,description,tenant,mac_address\n10.2.3.14/24,active,prn,third,hq,00:20:6b:aa:bb:cc\n",
    "isc-leases": "lease 10.2.3.14 {\n  starts 5 2026/11/20 10:00:00;\n  ends 5 2026/11/20 12:00:00;\n  binding state active;\n"
    '  hardware ethernet 00:20:6b:aa:bb:cc;\n  client-hostname "PRN";\n}\n',
    "kea-leases": "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id\n"
    "10.2.3.14,00:20:6b:aa:bb:cc,01:00,3600,1795172400,1,0,0,prn.,0,,0\n",
    "maester": json.dumps(
        {
            "TotalCount": 1,
            "PassedCount": 0,
            "TenantId": "x",
            "Tests": [{"Id": "EXO.1", "Title": "t", "Result": "Failed"}],
        }
    ),
    "mail-flow-status": _table(
        {"Date": "2026-11-20T00:00:00Z", "Direction": "Inbound", "EventType": "GoodMail", "Count": 2}
    ),
    "mail-message": _MAIL,
    "message-trace-detail": _table(
        {
            "Date": "2026-11-20T10:00:00Z",
            "MessageId": "<a@x>",
            "MessageTraceId": _GUID,
            "Event": "Receive",
            "Action": "",
            "Detail": "",
            "Data": '<root><MEP Name="ReturnPath" String="a@contoso.com"/></root>',
        }
    ),
    "message-trace-enhanced": _table(
        {
            "origin_timestamp_utc": "2026-11-20T10:00:00Z",
            "sender_address": "a@contoso.com",
            "recipient_status": "u@contoso.com##Receive, Deliver",
            "message_id": "<a@x>",
            "network_message_id": _GUID,
            "original_client_ip": "192.0.2.7",
            "directionality": "Incoming",
            "connector_id": "",
        }
    ),
    "message-trace-extended": _table(_EXTENDED),
    "message-trace-graph": json.dumps(
        {
            "value": [
                {
                    "id": _GUID,
                    "senderAddress": "a@contoso.com",
                    "recipientAddress": "u@contoso.com",
                    "receivedDateTime": "2026-11-20T10:00:00Z",
                    "status": "delivered",
                }
            ]
        }
    ),
    "message-trace-summary": _table(
        {
            "Date (UTC)": "2026-11-20 10:00:00",
            "Sender address": "a@contoso.com",
            "Recipient address": "u@contoso.com",
            "Subject": "x",
            "Status": "Delivered",
        }
    ),
    "message-trace-v2": _table(
        {
            "MessageTraceId": _GUID,
            "MessageId": "<a@x>",
            "Received": "2026-11-20T10:00:00Z",
            "SenderAddress": "a@contoso.com",
            "RecipientAddress": "u@contoso.com",
            "FromIP": "192.0.2.7",
        }
    ),
    "network-map": "192.0.2.0\t192.0.2.255\t64500\tES\tCONTOSO-NET\n198.51.100.0\t198.51.100.255\t0\tNone\tNot routed\n",
    "netflow": "ts,te,td,sa,da,sp,dp,pr,flg,ipkt,ibyt\n2026-11-20 10:00:00,2026-11-20 10:00:02,2.000,10.2.3.14,52.101.73.1,50000,"
    "25,TCP,.AP.SF,40,48213\n",
    "packet-log": "Nov 20 10:00:00 fw kernel: [1.0] OUT IN=br0 OUT=eth0 MAC=00:11 SRC=10.2.3.14 DST=52.101.73.1 LEN=60 TTL=64 "
    "PROTO=TCP SPT=50000 DPT=25 SYN\n",
    "paloalto-traffic": "<14>Nov 20 10:00:00 pa 1,2026/11/20 10:00:01,0123,TRAFFIC,end,2561,2026/11/20 10:00:00,10.2.3.14,"
    "52.101.73.1,203.0.113.9,52.101.73.1,out,,,smtp,vsys1,trust,untrust,e1,e2,fwd,2026/11/20 10:00:00,77,3,50000,25,61000,25,0x0,"
    "tcp,allow,48213,48000,213,40\n",
    "postfix-log": "Nov 20 10:00:00 relay postfix/smtpd[1]: ABCDEF1234: client=prn[10.2.3.14]\n"
    "Nov 20 10:00:01 relay postfix/smtp[1]: ABCDEF1234: to=<u@contoso.com>, relay=x[52.101.73.1]:25, delay=1, delays=0/0/0/1, "
    "dsn=2.0.0, status=sent (250 ok)\n",
    "quarantine": _table(
        {
            "Identity": f"{_GUID}\\{_GUID}",
            "ReceivedTime": "2026-11-20T10:00:00",
            "SenderAddress": "a@contoso.com",
            "RecipientAddress": "u@contoso.com",
            "QuarantineTypes": "Spam",
            "ReleaseStatus": "NOTRELEASED",
        }
    ),
    "quarantine-header": _table({"Identity": "g\\h", "Header": _MAIL.partition("MIME-Version")[0]}),
    "rule-hits": _table(
        {
            "Date": "2026-11-20T10:00:00Z",
            "MessageId": "<a@x>",
            "SenderAddress": "a@contoso.com",
            "TransportRule": "A",
            "Action": "x",
        }
    ),
    "scubagear": json.dumps(
        {
            "baseline_version": "1",
            "module_version": "1.5.0",
            "date": "2026-11-20 10:00:00",
            "timestamp_zulu": "2026-11-20T10:00:00.000Z",
            "tenant_details": [],
            "accepted_domains": [{"DomainName": "contoso.com", "DomainType": "Authoritative"}],
            "spf_records": [{"domain": "contoso.com", "rdata": ["v=spf1 -all"]}],
        }
    ),
    "sendmail-log": "Nov 20 10:00:00 relay sendmail[77]: 5AK9x0Aa012345: from=<scan@contoso.com>, size=48213, class=0, nrcpts=1, "
    "msgid=<m1@prn>, relay=prn [10.2.3.14]\nNov 20 10:00:00 relay sendmail[77]: 5AK9x0Aa012345: to=<a@contoso.com>, delay=00:00:01, "
    "mailer=esmtp, relay=x. [52.101.73.1], dsn=2.0.0, stat=Sent (ok)\n",
    "sign-ins": json.dumps(
        [
            {
                "createdDateTime": "2026-11-20T10:00:00Z",
                "userPrincipalName": "a@contoso.com",
                "ipAddress": "192.0.2.7",
                "clientAppUsed": "Authenticated SMTP",
                "status": {"errorCode": 0},
            }
        ]
    ),
    "smtp-auth-report": _table(
        {
            "Sender address": "a@contoso.com",
            "Messages sent": "2",
            "TLS 1.2 %": "100",
            "Authentication protocol": "Basic",
        }
    ),
    "spoof-report": _table(
        {
            "Date": "2026-11-20",
            "Spoofed User": "a@contoso.com",
            "Sending Infrastructure": "192.0.2.0/24",
            "Count": 2,
            "Spoof Type": "Internal",
        }
    ),
    "tenant-config": json.dumps(
        [
            {
                "Name": "A",
                "Identity": "A",
                "ConnectorType": "Partner",
                "SenderIPAddresses": ["192.0.2.1"],
                "SenderDomains": ["smtp:*;1"],
            }
        ]
    ),
    "tls-report": json.dumps(
        {
            "organization-name": "x",
            "report-id": "1",
            "policies": [
                {
                    "policy": {"policy-type": "sts", "policy-domain": "contoso.com"},
                    "summary": {"total-successful-session-count": 1, "total-failure-session-count": 0},
                }
            ],
        }
    ),
    "unknown-table": _table(
        *[
            {"When": f"2026-11-{day:02}T10:00:00Z", "Sender": f"a{day}@contoso.com", "Id": f"<{day}@x>"}
            for day in range(1, 9)
        ]
    ),
    "windows-dhcp-leases": _table(
        {
            "IPAddress": "10.2.3.14",
            "ScopeId": "10.2.3.0",
            "AddressState": "Active",
            "ClientId": "00-20-6b-aa-bb-cc",
            "HostName": "PRN",
            "LeaseExpiryTime": "x",
        }
    ),
    "windows-dhcp-log": "\t\tMicrosoft DHCP Service Activity Log\n\nID,Date,Time,Description,IP Address,Host Name,MAC Address,User Name\n"
    "10,11/20/26,09:00:00,Assign,10.2.3.14,PRN,00206BAABBCC,\n",
    "zeek-conn": _ZEEK.format(
        path="conn",
        fields="ts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tconn_state",
        row="1795168800.5\tC1\t10.2.3.14\t50000\t52.101.73.1\t25\ttcp\tSF",
    ),
    "zeek-dhcp": _ZEEK.format(
        path="dhcp",
        fields="ts\tuids\tclient_addr\tserver_addr\tmac\thost_name\tassigned_addr\tlease_time",
        row="1795168800.5\tC1\t10.2.3.14\t10.2.3.1\t00:20:6b:aa:bb:cc\tPRN\t10.2.3.14\t3600.0",
    ),
    "zeek-smtp": _ZEEK.format(
        path="smtp",
        fields="ts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\ttrans_depth\thelo\tmailfrom\trcptto\tlast_reply",
        row="1795168800.5\tC1\t10.2.3.14\t50000\t52.101.73.1\t25\t1\tPRN\tscan@contoso.com\tu@contoso.com\t250 ok",
    ),
    "zeek-ssl": _ZEEK.format(
        path="ssl",
        fields="ts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tserver_name\testablished",
        row="1795168800.5\tC1\t10.2.3.14\t50000\t52.101.73.1\t25\tx.example\tT",
    ),
    "zone-file": '$ORIGIN contoso.com.\n@ 300 IN TXT "v=spf1 -all"\n  300 IN MX 10 contoso-com.mail.protection.outlook.com.\n',
}
