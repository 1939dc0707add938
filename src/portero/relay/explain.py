"""What an answer of Exchange Online or Microsoft Entra means, and what to grant or change so that it goes away."""

from __future__ import annotations

from portero.core.text import Text


def explain(reply: str) -> Text | None:
    """
    Give the sentence for an answer, or None where nobody here knows it.

    reply:  an SMTP reply, a Graph error or a token endpoint's error description, as one text.
    Source: exchange-online reference 1.8 and 3; Microsoft, "Microsoft Entra authentication and authorization error codes".
    """
    low = reply.lower()
    return next((text for needles, text in _KNOWN if all(each in low for each in needles)), None)


# The first whose words are all there; the narrower stand before the wider.
_KNOWN: tuple[tuple[tuple[str, ...], Text], ...] = (
    (
        ("aadsts7000215",),
        Text("The client secret is wrong. Copy its value, not its id, from the app registration; the value is shown only once."),
    ),
    (("aadsts7000222",), Text("The client secret has expired. Make a new one in the app registration, or use a certificate.")),
    (("aadsts700016",), Text("There is no such application in this tenant. Compare client_id and tenant with the app registration.")),
    (("aadsts90002",), Text("There is no such tenant. Compare tenant with the directory id in Microsoft Entra.")),
    (("aadsts700027",), Text("The certificate is not the one in the app registration. Upload its public part there.")),
    (("aadsts53003",), Text("Conditional access blocks this application. Exclude it, or allow the network it signs in from.")),
    (("aadsts7000112",), Text("The application is disabled in this tenant. Enable it under Enterprise applications.")),
    (("aadsts65001",), Text("Nobody has consented to the application's permissions. Grant admin consent in Microsoft Entra.")),
    (("aadsts50034",), Text("This account does not exist in the tenant. Compare mailbox with the address in Exchange.")),
    (("aadsts90033",), Text("Microsoft Entra is busy. Nothing is to be done: it is tried again.")),
    (
        ("5.7.139", "smtpclientauthentication is disabled for the tenant"),
        Text(
            "SMTP AUTH is off for the organisation. Turn it on for this mailbox alone: Set-CASMailbox -Identity MAILBOX -SmtpClientAuthenticationDisabled $false."
        ),
    ),
    (
        ("5.7.139", "smtpclientauthentication is disabled for the mailbox"),
        Text(
            "SMTP AUTH is off for this mailbox: Set-CASMailbox -Identity MAILBOX -SmtpClientAuthenticationDisabled $false."
        ),
    ),
    (
        ("5.7.139", "basic authentication is disabled"),
        Text("Passwords are not taken here. Give the way out an application: tenant, client_id and client_secret or certificate."),
    ),
    (
        ("5.7.139", "security defaults"),
        Text("Security defaults block passwords. Give the way out an application: tenant, client_id and client_secret or certificate."),
    ),
    (("5.7.139",), Text("Exchange Online does not let this mailbox in. Look at its SMTP AUTH setting and at its authentication policy.")),
    (
        ("5.7.30",),
        Text("Microsoft no longer takes passwords here. Give the way out an application: tenant, client_id and client_secret or certificate."),
    ),
    (
        ("5.7.3 ", "authentication unsuccessful"),
        Text(
            "Exchange Online refuses the credentials. For an application: grant SMTP.SendAsApp with admin consent, run New-ServicePrincipal with the object id from Enterprise applications, and Add-MailboxPermission with FullAccess on the mailbox."
        ),
    ),
    (
        ("5.7.57",),
        Text("Client submission wants a login. Use the kind smtp-auth, or send to the tenant's own MX host by a connector."),
    ),
    (
        ("sendasdenied",),
        Text("The mailbox may not send as this sender. Grant Send As with Add-RecipientPermission, or rewrite the sender in the device's rule."),
    ),
    (
        ("5.7.60",),
        Text("The mailbox may not send as this sender. Grant Send As with Add-RecipientPermission, or rewrite the sender in the device's rule."),
    ),
    (
        ("4.3.2", "concurrent connections"),
        Text("More than three sessions use this mailbox at once. Another program sends as it too: give the relay a mailbox of its own."),
    ),
    (
        ("4.3.2", "sender thread limit"),
        Text("More than three sessions use this mailbox at once. Another program sends as it too: give the relay a mailbox of its own."),
    ),
    (
        ("5.7.64",),
        Text("No connector of type OnPremises matches this server. Compare the connector's address or certificate name with what the relay shows."),
    ),
    (
        ("5.7.68",),
        Text("Direct Send is closed and no connector matches this server. Make a connector for its address or certificate, or use smtp-auth or graph."),
    ),
    (
        ("5.7.51",),
        Text("A Partner connector restricts this domain to other addresses or certificates. Add this server to it."),
    ),
    (("5.5.105",), Text("High Volume Email sends inside only. Give outside recipients another way out with a route.")),
    (("5.2.2", "mailbox full"), Text("The sending mailbox is full: copies go to Sent Items. Empty it, or stop keeping copies.")),
    (("5.7.233",), Text("The tenant has sent to as many outside recipients as its limit allows in 24 hours. It is tried again.")),
    (("5.7.708",), Text("Microsoft takes no traffic from this address. Use smtp-auth or graph, or another address.")),
    (("5.1.8",), Text("The mailbox is blocked for sending spam. Unblock it under Restricted entities in the Defender portal.")),
    (("5.7.750",), Text("The sender's domain is no accepted domain of the tenant. Add it, or rewrite the sender.")),
    (("5.7.509",), Text("The sender's domain does not pass DMARC. Send it through the tenant that signs for it.")),
    (("5.7.512",), Text("The device sends no valid From field. Put one in with rewrite_header_from.")),
    (("5.1.7", "not been linked"), Text("The sender's domain is not linked to the Communication Services resource. Connect it there.")),
    (("4.2.0", "mailbox logon failure"), Text("The application has no right on this mailbox. Run Add-MailboxPermission with FullAccess for its service principal.")),
    (("errorsendasdenied",), Text("The mailbox may not send as this sender. Grant Send As with Add-RecipientPermission, or rewrite the sender in the device's rule.")),
    (("erroraccessdenied",), Text("The application may not send as this mailbox. Grant Mail.Send, or put the mailbox in the scope of its role.")),
    (("applicationthrottled",), Text("Microsoft 365 limits the requests for this mailbox. It is tried again when Microsoft allows.")),
    (("certificate is not trusted",), Text("The far side's certificate is not trusted. Name its authority in ca, or look for a firewall that opens TLS.")),
    (("not offer starttls",), Text("The far side offers no encryption. A firewall may be taking STARTTLS out; let port 25 or 587 through untouched.")),
    (("no answer in time",), Text("Nobody answers there. Look at the firewall: outgoing ports 25, 587 and 443 must be open.")),
    (("connection refused",), Text("Nobody listens there. Look whether host and port of the way out are right, and whether the server runs.")),
)  # fmt: skip
