"""The weights of evidence: one readable table, natural-log odds towards abuse, each with where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Maker(StrEnum):
    """
    Who it takes to make a piece of evidence that speaks for a sender.

    Weeks, steady intervals, a few subjects and a name cost an outsider nothing but patience; so they may say how a sender
    behaves and never, by themselves, that it is the organisation's.
    """

    ORGANISATION = "organisation"  # its keys, records, credentials, connectors, networks or configuration
    READERS = "readers"  # people here, several and for long, who get the mail and could complain each time
    ANYBODY = "anybody"  # patience, a rented server, a subscription


@dataclass(frozen=True, slots=True)
class Weight:
    """
    How much one kind of evidence says.

    value:   natural-log odds towards abuse: 0.7 doubles the odds, 2.3 makes them ten times as high, negative speaks
             for the sender.
    source:  what the figure rests on. "Judgement" is ours: no measurement exists in public, and none is fitted to
             generated data.
    maker:   who it takes to make it; None for what speaks against a sender or only informs.
    """

    value: float
    source: str
    maker: Maker | None = None


WEIGHTS: dict[str, Weight] = {
    "prior": Weight(0.0, "Judgement: before any evidence an anonymous sender in the own name may be either."),
    # What only the organisation can arrange.
    "inside": Weight(
        -6.0,
        "Reference exchange-online 4.9: mail from a mailbox carries no client address.",
        maker=Maker.ORGANISATION,
    ),
    "submitted": Weight(
        -5.0,
        "Reference exchange-online 3: submission needs the organisation's credentials.",
        maker=Maker.ORGANISATION,
    ),
    "connector": Weight(
        -4.5,
        "Reference exchange-online 1.5: an administrator made the connector for this source.",
        maker=Maker.ORGANISATION,
    ),
    "connector-doubtful": Weight(
        -2.5,
        "Same, where the export does not settle by what the connector matches.",
        maker=Maker.ORGANISATION,
    ),
    "connector-possible": Weight(
        -0.7,
        "Reference exchange-online 1.4: a connector by certificate would take it and no witness shows it.",
        maker=Maker.ANYBODY,
    ),
    "gateway": Weight(0.0, "Reference exchange-online 1.6: what a gateway delivers may come from anybody."),
    "network-devices": Weight(
        -4.0, "The organisation's own word in portero.toml about this network.", maker=Maker.ORGANISATION
    ),
    "network-users": Weight(
        -1.0, "Own users' network: also where taken-over computers are.", maker=Maker.ORGANISATION
    ),
    "network-partner": Weight(
        -1.5, "The organisation's own word; the partner's security is not its own.", maker=Maker.ORGANISATION
    ),
    "signed-in": Weight(
        -3.0,
        "Reference data-formats: the mailbox's own sign-in to SMTP AUTH from the same address.",
        maker=Maker.ORGANISATION,
    ),
    "allow-listed": Weight(
        0.0,
        "Judgement: an administrator's entry must not be accused unasked. Its weight is what keeps the odds below an "
        "accusation.",
    ),
    "host-inside": Weight(
        -2.5,
        "A device inside opened the connections; not more, since a taken-over one does so too.",
        maker=Maker.ORGANISATION,
    ),
    "reported-once": Weight(0.0, "Says why single reports stand together: only informs."),
    "network-named": Weight(0.0, "Anybody can rent addresses in a network: only informs."),
    "service-named": Weight(0.0, "Anybody can be a customer of a sending service: only informs."),
    "named": Weight(0.0, "A person's name for it: only informs."),
    "joined": Weight(
        0.0, "A person joined senders: only informs, for each part is judged by its own evidence."
    ),
    "set-apart": Weight(0.0, "A person set mail apart: only informs, for both parts are judged anew."),
    "reopened": Weight(
        0.0,
        "Judgement: behaviour that changed is not what a person vouched for. Its weight is what brings the odds back to even.",
    ),
    "expired": Weight(0.0, "A person's decision that ran out: only informs."),
    "decided-unseen": Weight(0.0, "A person decided upon evidence that is not here: only informs."),
    "kept-apart": Weight(0.0, "Joined with others by a person, and abuse: only informs."),
    "host-open": Weight(0.0, "Which device inside it is stays open: only informs."),
    "network-guest": Weight(0.5, "Guest networks hold strangers' computers."),
    # Authentication.
    "dmarc-pass": Weight(
        -3.0, "RFC 9989: needs the domain's key or a place in its SPF record.", maker=Maker.ORGANISATION
    ),
    "spf-pass": Weight(
        -2.5,
        "RFC 7208: the domain's owner lists the address; shared services weaken it.",
        maker=Maker.ORGANISATION,
    ),
    "spf-shared": Weight(
        -1.0,
        "RFC 7208 11.4: whoever else sends by the same service passes; services check domains, few of them strictly.",
        maker=Maker.ANYBODY,
    ),
    "dkim-pass": Weight(
        -3.0, "RFC 6376: the signature needs the domain's private key.", maker=Maker.ORGANISATION
    ),
    "outside-fail": Weight(0.7, "RFC 9990: other receivers saw it fail; many scanners fail too."),
    "outside-pass": Weight(
        -2.0,
        "RFC 9990: other receivers saw the same address pass DMARC for the domain.",
        maker=Maker.ORGANISATION,
    ),
    "authentication-fails": Weight(
        1.2, "Reference exchange-online 2.3: spoofs fail, and so do unlisted scanners."
    ),
    "spf-unlisted": Weight(
        0.7, "The published SPF record leaves the address out; many scanners are left out too."
    ),
    "spf-perhaps-unlisted": Weight(
        0.3,
        "Contract section 4: a summary's sender may be the visible From, and SPF asks about the envelope's.",
    ),
    "foreign-unaligned": Weight(
        1.0, "Controls catalogue DS-04: own From over a foreign envelope that fails DMARC."
    ),
    # Behaviour over time.
    "weeks-2": Weight(
        -0.8, "Controls catalogue R5: steady cadence. Campaigns live for days.", maker=Maker.ANYBODY
    ),
    "weeks-3": Weight(-1.4, "Same.", maker=Maker.ANYBODY),
    "weeks-4": Weight(-2.0, "Same.", maker=Maker.ANYBODY),
    "weeks-8": Weight(-2.6, "Same.", maker=Maker.ANYBODY),
    "regular": Weight(
        -1.5,
        "Controls catalogue R5: a job that runs every week or month keeps its interval.",
        maker=Maker.ANYBODY,
    ),
    "short-lived": Weight(1.2, "Reference exchange-online 7.1: campaigns come from addresses used for days."),
    "new": Weight(0.6, "First seen in the last days of the evidence: a new device or a new campaign."),
    "burst": Weight(1.5, "Reference exchange-online 7.1 (ProArch): bursts to many people."),
    "same-people": Weight(
        -1.0, "Controls catalogue R5: the same recipients, again and again.", maker=Maker.ANYBODY
    ),
    "new-people": Weight(
        1.2, "Reference exchange-online 7.1: a campaign works through its victims; a device has its regulars."
    ),
    "long-received": Weight(
        0.0,
        "Verizon DBIR 2024: one in five report a lure that they get, so that of campaigns of fourteen mails not one in twenty "
        "goes unreported.",
        maker=Maker.READERS,
    ),
    # What it looks like.
    "same-subjects": Weight(
        -0.8, "Controls catalogue R5: devices repeat a few subjects over weeks.", maker=Maker.ANYBODY
    ),
    "varied-subjects": Weight(
        -1.2, "Forwarded correspondence varies; a campaign repeats its lure.", maker=Maker.ANYBODY
    ),
    "device-words": Weight(
        -0.7,
        "Default subjects of multifunction printers; small because lures imitate them.",
        maker=Maker.ANYBODY,
    ),
    "lure": Weight(
        1.2, "Reference exchange-online 7.1: voicemail, fax, payroll, password and sign-in lures."
    ),
    "business-lure": Weight(0.5, "Same; payroll offices and accounts write so every month."),
    "nothing-forged": Weight(
        0.0,
        "Judgement: burst, lure and short life together must not accuse: pay slips show all three. Its weight is what "
        "brings the odds back to even, or takes those three back where authentication passes.",
    ),
    "one-mailing": Weight(
        0.0,
        "Judgement: one mailing to many people is what surveys and warnings are too, however many ways there are to say "
        "so. Its weight is what keeps the odds below an accusation.",
    ),
    "misused": Weight(
        0.0,
        "Computed: what keeps it from being called legitimate. Reference exchange-online 7.1: lures leave through devices "
        "and relays that are trusted.",
    ),
    "unlike-itself": Weight(
        0.0, "Judgement: only informs and asks; who sent a burst behind a shared address, no trace can tell."
    ),
    "little-seen": Weight(
        0.0,
        "Judgement: under eight mails no behaviour shows. Its weight is what keeps the odds above "
        "a legitimate sender's.",
    ),
    "borrowed-name": Weight(
        0.0,
        "Computed: what keeps it from being called legitimate. Reference exchange-online 7.1: spoofs borrow colleagues' names.",
    ),
    "second-original": Weight(
        0.0,
        "Computed: what keeps it from being called legitimate. Reference exchange-online 7.1: copies of devices write for "
        "weeks.",
    ),
    "behaviour-alone": Weight(
        0.0,
        "Computed: what keeps it from being called legitimate. Judgement: what an outsider makes by patience alone vouches for "
        "nobody.",
    ),
    "readers-alone": Weight(
        0.0,
        "Computed: what keeps it from being called more than nine in ten legitimate. Judgement: weeks, intervals, readers and "
        "subjects are readings of one fact, and their weights add up as if they were several.",
    ),
    "name-alone": Weight(
        0.0,
        "Computed: what keeps it from being called legitimate. Reference exchange-online 7.1: copies of devices write for "
        "weeks under their names, and without addresses nothing parts them.",
    ),
    "no-address": Weight(
        0.0,
        "Judgement: a subject's words under a colleague's name accuse nobody whose address is not known. Its weight is what "
        "keeps the odds below an accusation.",
    ),
    "no-campaign": Weight(
        0.0,
        "Judgement: failing authentication alone must not accuse, R5: most unlisted senders are devices. Its weight is "
        "what keeps the odds below an accusation.",
    ),
    "as-mailbox": Weight(
        1.0, "Reference exchange-online 7.1: colleagues' names over an outside server; forwarders do it too."
    ),
    "roams": Weight(
        1.5,
        "Judgement: a service that sends from many networks passes authentication, or it would not arrive.",
    ),
    "self-addressed": Weight(
        1.2, "Reference exchange-online 7.1: From = To; scanning to oneself does it too."
    ),
    "many-names": Weight(1.0, "Reference exchange-online 7.1: one source writing as many people."),
    "nameless-host": Weight(0.8, "Reference exchange-online 7.2: loopback and default Windows host names."),
    "filter-phish": Weight(2.5, "Microsoft's filter called most of it phishing or malware."),
    "filter-perhaps-spoof": Weight(
        1.2,
        "The same without the method: mail in the own name that fails authentication is called phishing for that alone.",
    ),
    "filter-some-phish": Weight(1.0, "Microsoft's filter called some of it phishing or malware."),
    "filter-spoof": Weight(
        0.5, "Microsoft's spoof verdict follows failed authentication, which scanners share."
    ),
    # Beside other senders.
    "swarm": Weight(
        2.5,
        "Reference exchange-online 7.1: one campaign from many addresses at once. Nobody here sends one subject so.",
    ),
    "copies": Weight(1.5, "Uses the name of a sender established elsewhere, from another network."),
    "copies-failing": Weight(2.5, "Same, and fails the authentication that the established one passes."),
    "beside-received": Weight(
        0.0,
        "Same as of long-received, for all that comes from one client address: readers vouch for the place.",
        maker=Maker.READERS,
    ),
    "beside-established": Weight(
        -1.5, "Same client address as an established sender of the organisation.", maker=Maker.ORGANISATION
    ),
}

VOUCHING = frozenset(code for code, weight in WEIGHTS.items() if weight.maker not in {None, Maker.ANYBODY})
OWN_WORD = frozenset(code for code, weight in WEIGHTS.items() if weight.maker is Maker.ORGANISATION)
