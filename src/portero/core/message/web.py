"""What addresses of the web give away: brands and their domains, hosts anybody can rent by the minute, disguises."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import itertools
import re
from collections.abc import Iterable
from urllib.parse import unquote

from portero.core.address import domain_of
from portero.core.message.arrival import organisational, under
from portero.core.message.content import Link
from portero.core.message.words import plain_words, skeleton, tokens

# Names that lures borrow most, with the domains that are really theirs beside <name>.<any suffix>. By hand, from the
# yearly lists of the most imitated brands and the banks and carriers of the languages the lures are in.
BRANDS: dict[str, tuple[str, ...]] = {
    "microsoft": ("microsoft.com", "microsoftonline.com", "office.com", "live.com", "outlook.com", "sharepoint.com",
                  "azure.com", "office365.com", "onmicrosoft.com", "xbox.com", "linkedin.com", "skype.com", "bing.com",
                  "microsoftstore.com", "windows.com", "cloud.microsoft", "mail.microsoft"),
    "office365": ("microsoft.com", "office.com", "office365.com", "microsoftonline.com"),
    "office 365": ("microsoft.com", "office.com", "office365.com", "microsoftonline.com"),
    "outlook": ("microsoft.com", "outlook.com", "live.com"),
    "onedrive": ("microsoft.com", "onedrive.com", "sharepoint.com", "sharepointonline.com", "live.com"),
    "sharepoint": ("microsoft.com", "sharepoint.com", "sharepointonline.com"),
    "docusign": ("docusign.com", "docusign.net"),
    "adobe": ("adobe.com", "adobesign.com", "echosign.com"),
    "dropbox": ("dropbox.com", "dropboxmail.com", "hellosign.com"),
    "google": ("google.com", "gmail.com", "youtube.com", "googlemail.com", "withgoogle.com", "goo.gl"),
    "apple": ("apple.com", "icloud.com", "me.com"),
    "icloud": ("apple.com", "icloud.com"),
    "amazon": ("amazon.com", "amazon.co.uk", "amazon.de", "amazon.es", "amazon.fr", "amazon.it", "amazon.com.br", "amazonses.com",
               "amazonaws.com", "primevideo.com", "audible.com", "awsstatic.com"),
    "paypal": ("paypal.com", "paypal.de", "paypal.es", "paypal.fr", "paypal.it", "paypal-communication.com",
               "paypalobjects.com", "paypal.me"),
    "netflix": ("netflix.com",), "spotify": ("spotify.com",), "disney": ("disneyplus.com",), "disney+": ("disneyplus.com",),
    "facebook": ("facebook.com", "facebookmail.com", "fb.com", "meta.com"), "meta": ("facebookmail.com", "fb.com", "facebook.com",
                                                                     "instagram.com", "workplace.com", "oculus.com"),
    "instagram": ("instagram.com",), "whatsapp": ("whatsapp.com",), "linkedin": ("linkedin.com",),
    "tiktok": ("tiktok.com",), "telegram": ("telegram.org",),
    "dhl": ("dhl.com", "dpdhl.com"), "fedex": ("fedex.com",), "ups": ("ups.com", "upsemail.com"), "usps": ("usps.com",),
    "dpd": ("dpd.com", "dpdgroup.com"), "hermes": ("myhermes.co.uk",), "gls": ("gls-group.eu", "gls-group.com"),
    "correos": ("correos.es", "correos.com"), "royal mail": ("royalmail.com",), "la poste": ("laposte.fr",),
    "chronopost": ("chronopost.fr",), "colissimo": ("laposte.fr",), "poste italiane": ("poste.it", "posteitaliane.it"),
    "swiss post": ("post.ch",), "correios": ("correios.com.br",), "seur": ("seur.com",),
    "santander": ("santander.com", "santander.es", "gruposantander.com"), "bbva": ("bbva.com", "grupobbva.com"),
    "caixabank": ("caixabank.com", "caixabank.es"), "bankia": ("bankia.es",), "sabadell": ("bancsabadell.com",),
    "ing": ("ing.com", "ing.es", "ing.de"), "itau": ("itau.com.br",), "bradesco": ("bradesco.com.br",),
    "nubank": ("nubank.com.br",), "caixa economica": ("caixa.gov.br",), "banco do brasil": ("bb.com.br",),
    "mercado pago": ("mercadopago.com", "mercadolibre.com", "mercadolivre.com.br"), "mercado livre": ("mercadolivre.com.br",),
    "mercadolibre": ("mercadolibre.com",), "bancolombia": ("bancolombia.com.co",), "serasa": ("serasa.com.br",),
    "livelo": ("livelo.com.br",), "esfera": ("esfera.com.vc",),
    "sparkasse": ("sparkasse.de",), "volksbank": ("volksbank.de", "vr.de"), "commerzbank": ("commerzbank.de",),
    "deutsche bank": ("db.com", "deutsche-bank.de"), "postbank": ("postbank.de",), "comdirect": ("comdirect.de",),
    "credit agricole": ("credit-agricole.fr", "ca-cb.fr"), "bnp paribas": ("bnpparibas.com", "bnpparibas.fr"),
    "societe generale": ("societegenerale.fr", "socgen.com"), "ameli": ("ameli.fr", "assurance-maladie.fr"),
    "impots": ("impots.gouv.fr", "dgfip.finances.gouv.fr"), "intesa": ("intesasanpaolo.com",), "unicredit": ("unicredit.it",),
    "nexi": ("nexi.it",), "postepay": ("poste.it",), "inps": ("inps.it",), "agencia tributaria": ("agenciatributaria.gob.es",
                                                                                             "correo.aeat.es"),
    "chase": ("chase.com", "jpmorgan.com"), "wells fargo": ("wellsfargo.com",), "bank of america": ("bankofamerica.com",
                                                                                             "bofa.com"),
    "citibank": ("citi.com", "citibank.com"), "american express": ("americanexpress.com", "aexp.com"),
    "hsbc": ("hsbc.com", "hsbc.co.uk"), "barclays": ("barclays.co.uk", "barclays.com"), "capital one": ("capitalone.com",),
    "irs": ("irs.gov",), "hmrc": ("hmrc.gov.uk",), "gov.uk": ("gov.uk",),
    "coinbase": ("coinbase.com",), "binance": ("binance.com", "binance.us"), "metamask": ("metamask.io", "consensys.net"),
    "ledger": ("ledger.com", "ledger.fr"), "trezor": ("trezor.io",), "trust wallet": ("trustwallet.com",),
    "blockchain.com": ("blockchain.com",), "kraken": ("kraken.com",), "opensea": ("opensea.io",),
    "mcafee": ("mcafee.com",), "norton": ("norton.com", "nortonlifelock.com", "gen.com"), "geek squad": ("bestbuy.com",
                                                                                                         "geeksquad.com"),
    "avast": ("avast.com",), "kaspersky": ("kaspersky.com",), "godaddy": ("godaddy.com", "secureserver.net"),
    "walmart": ("walmart.com",), "costco": ("costco.com",), "home depot": ("homedepot.com",), "lowe's": ("lowes.com",),
    "ebay": ("ebay.com",), "aliexpress": ("aliexpress.com",), "booking.com": ("booking.com",), "airbnb": ("airbnb.com",),
    "at&t": ("att.com", "att.net"), "verizon": ("verizon.com", "vzw.com"), "t-mobile": ("t-mobile.com",),
    "xfinity": ("xfinity.com", "comcast.com", "comcast.net"), "vodafone": ("vodafone.com",), "telekom": ("telekom.de",
                                                                                                   "t-online.de"),
    "orange": ("orange.fr", "orange.com"), "free mobile": ("free.fr",), "movistar": ("movistar.es", "telefonica.com"),
    "zoom": ("zoom.us", "zoom.com"), "wetransfer": ("wetransfer.com",), "wordpress": ("wordpress.com", "wordpress.org"),
    "quickbooks": ("intuit.com",), "intuit": ("intuit.com",), "steam": ("steampowered.com", "valvesoftware.com"),
    "roblox": ("roblox.com",), "temu": ("temuemail.com", "temu.com"), "shein": ("shein.com",), "fifa": ("fifa.com",),
    "blizzard": ("blizzard.com", "battle.net"), "revolut": ("revolut.com",), "wise": ("wise.com",), "klarna": ("klarna.com",
                                                                                                  "klarna.de"),
    "workday": ("workday.com", "myworkday.com"), "adp": ("adp.com",), "bamboohr": ("bamboohr.com",),
    "servicenow": ("servicenow.com", "service-now.com"), "successfactors": ("successfactors.com", "successfactors.eu", "sap.com"),
    "salesforce": ("salesforce.com", "force.com"), "zendesk": ("zendesk.com",), "atlassian": ("atlassian.com", "atlassian.net"),
    "github": ("github.com",), "slack": ("slack.com",),
    "stripe": ("stripe.com",), "cash app": ("square.com", "cash.app", "squareup.com"), "zelle": ("zellepay.com",),
}  # fmt: skip

# Of these brands the name is also a plain word or a person's, so it must be all that a display name says.
_PLAIN_WORDS = frozenset(
    ["ups", "ing", "meta", "apple", "amazon", "orange", "chase", "wise", "steam", "zoom", "hermes", "ledger", "outlook",
     "gls", "intesa", "livelo", "esfera", "norton", "adobe", "disney", "telegram", "kraken", "stripe", "telekom", "google"]
)  # fmt: skip

# Where anybody gets a page or a name by the minute, under somebody else's good name.
RENTED = frozenset(
    [
        "web.app", "firebaseapp.com", "pages.dev", "workers.dev", "r2.dev", "weebly.com", "weeblysite.com", "wixsite.com",
        "wixstudio.com", "blogspot.com", "github.io", "gitlab.io", "glitch.me", "netlify.app", "vercel.app", "onrender.com",
        "repl.co", "replit.app", "replit.dev", "herokuapp.com", "azurewebsites.net", "web.core.windows.net",
        "blob.core.windows.net", "cloudfront.net", "s3.amazonaws.com", "amplifyapp.com", "appspot.com", "a.run.app",
        "storage.googleapis.com", "googleapis.com", "forms.gle", "docs.google.com", "sites.google.com", "forms.office.com",
        "forms.microsoft.com", "jotform.com", "typeform.com", "surveymonkey.com", "cognitoforms.com", "formstack.com",
        "123formbuilder.com", "webflow.io", "framer.app", "framer.website", "carrd.co", "strikingly.com", "mystrikingly.com",
        "square.site", "godaddysites.com", "yolasite.com", "000webhostapp.com", "infinityfreeapp.com", "duckdns.org",
        "ddns.net", "hopto.org", "no-ip.org", "ngrok.io", "ngrok-free.app", "trycloudflare.com", "ipfs.io", "dweb.link",
        "fleek.co", "on.fleek.co", "translate.goog", "notion.site", "canva.site", "my.canva.site", "gamma.site", "tilda.ws",
        "ukit.me", "surge.sh", "bubbleapps.io", "lovable.app", "zapier.app", "softr.app", "sharepoint.com", "1drv.ms",
        "backblazeb2.com", "digitaloceanspaces.com", "linodeobjects.com", "wasabisys.com", "myqcloud.com", "aliyuncs.com",
        "contaboserver.net", "contabostorage.com", "hubspotpagebuilder.com", "hs-sites.com", "plesk.page", "temporary.site",
        "dynv6.net", "servehttp.com", "zya.me", "rf.gd", "byethost.com", "atwebpages.com", "cprapid.com", "edgeone.app",
    ]
)  # fmt: skip
SHORTENERS = frozenset(
    [
        "bit.ly", "tinyurl.com", "t.co", "ow.ly", "is.gd", "buff.ly", "rb.gy", "cutt.ly", "shorturl.at", "t.ly", "goo.gl",
        "rebrand.ly", "s.id", "tiny.cc", "lnkd.in", "qr.ae", "v.gd", "u.to", "x.gd", "shorturl.gg", "urlz.fr", "urls.fr",
        "bitly.com", "soo.gd", "clck.ru", "qrco.de", "qrcodes.pro", "me-qr.com", "q-r.to", "qr1.be", "l.ead.me", "linktr.ee",
        "dub.sh", "dub.co", "n9.cl", "acortar.link", "encurtador.com.br", "lc.cx", "kutt.it", "short.gy", "tr.ee", "2u.pw",
        "wa.me", "t.me", "snip.ly", "lnk.bio", "shrtco.de", "href.li", "gg.gg", "bl.ink", "hyperurl.co", "did.li", "clik.pw",
    ]
)  # fmt: skip
# Services that carry other people's bulk mail and count clicks: a link there says nothing for or against.
CARRIERS = frozenset(
    [
        "list-manage.com", "mailchimp.com", "mailchimpapp.net", "campaign-archive.com", "sendgrid.net", "sendgrid.com",
        "mandrillapp.com", "mailgun.org", "mailgun.net", "sparkpostmail.com", "amazonses.com", "awstrack.me", "hubspot.com",
        "hubspotemail.net", "hs-email.net", "hubspotlinks.com", "exacttarget.com", "sfmc-content.com", "salesforce.com",
        "marketo.com", "mktoresp.com", "mktomail.com", "pardot.com", "constantcontact.com", "ccsend.com", "rs6.net", "sendinblue.com",
        "brevo.com", "sibautomation.com", "sendibt3.com", "mailjet.com", "mjt.lu", "klaviyo.com", "klaviyomail.com",
        "kmail-lists.com", "customeriomail.com", "customer.io", "intercom-mail.com", "intercom.com", "iterable.com",
        "braze.com", "appboy.com", "activehosted.com", "activecampaign.com", "convertkit-mail.com", "convertkit.com",
        "ck.page", "substack.com", "beehiiv.com", "mailerlite.com", "mlsend.com", "getresponse.com", "aweber.com",
        "campaignmonitor.com", "cmail19.com", "cmail20.com", "createsend.com", "emarsys.com", "responsys.net", "cheetahmail.com",
        "bronto.com", "listrak.com", "dotdigital.com", "dotmailer.com", "icontact.com", "mailpoet.com", "postmarkapp.com",
        "pstmrk.it", "zendesk.com", "freshdesk.com", "doubleclick.net", "mxpnl.com", "awin1.com", "acems2.com",
        "emsecure.net", "rdstation.com.br", "rdstation.email", "e-goi.com", "acumbamail.com", "doppler.email", "mailrelay.com",
        "safelinks.protection.outlook.com", "urldefense.com", "urldefense.proofpoint.com", "mimecastprotect.com",
        "linkprotect.cudasvc.com", "aka.ms", "w3.org", "schemas.microsoft.com", "doubleclick.com", "googletagmanager.com",
    ]
)  # fmt: skip
# Where every newsletter's foot leads; no lure's page is there.
SOCIAL = frozenset(
    [
        "facebook.com", "instagram.com", "linkedin.com", "twitter.com", "x.com", "youtube.com", "tiktok.com", "pinterest.com",
        "threads.net", "bsky.app", "mastodon.social", "apps.apple.com", "itunes.apple.com", "play.google.com", "xing.com",
        "vimeo.com", "flickr.com", "medium.com", "reddit.com", "discord.gg", "w3.org", "fonts.googleapis.com",
    ]
)  # fmt: skip
FREE_MAIL = frozenset(
    [
        "gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com", "yahoo.com", "ymail.com",
        "aol.com", "icloud.com", "me.com", "mail.com", "gmx.com", "gmx.de", "gmx.net", "web.de", "proton.me", "protonmail.com",
        "tutanota.com", "yandex.com", "yandex.ru", "mail.ru", "zoho.com", "hotmail.es", "yahoo.es", "outlook.es", "hotmail.fr",
        "yahoo.fr", "orange.fr", "free.fr", "laposte.net", "hotmail.it", "libero.it", "yahoo.it", "virgilio.it", "uol.com.br",
        "bol.com.br", "terra.com.br", "yahoo.com.br", "hotmail.co.uk", "yahoo.co.uk", "qq.com", "163.com", "126.com",
        "yahoo.co.jp", "naver.com", "t-online.de", "comcast.net", "att.net", "verizon.net", "sapo.pt", "consultant.com",
    ]
)  # fmt: skip
# Suffixes where names cost next to nothing and abuse is many times the average. Source: yearly abuse reports of the trade.
CHEAP = frozenset(
    [
        "xyz", "top", "icu", "click", "link", "shop", "online", "site", "store", "live", "buzz", "rest", "cam", "cfd", "sbs",
        "bond", "lat", "cyou", "quest", "monster", "fun", "space", "website", "press", "host", "pw", "tk", "ml", "ga", "cf",
        "gq", "ru", "su", "win", "bid", "loan", "men", "vip", "work", "life", "world", "today", "mom", "autos", "beauty",
        "hair", "skin", "makeup", "boats", "homes", "motorcycles", "yachts", "zip", "mov", "best", "asia", "cc", "ws", "dev",
    ]
)  # fmt: skip
_REDIRECTS = re.compile(
    r"(?:google\.[a-z.]{2,6}/(?:url|amp)|bing\.com/ck/a|/redirect\?|[?&](?:url|redirect|redir|target|dest|goto|next|u|q)="
    r"(?:https?%3a|https?:))",
    re.IGNORECASE,
)
_DOMAIN_WORD = re.compile(r"\b(?:https?://)?((?:[a-z0-9-]{1,63}\.){1,5}[a-z]{2,24})\b", re.IGNORECASE)
_CODED = re.compile(r"[A-Za-z0-9+/_-]{12,344}={0,2}")


def brand_in(words: str, *, whole: bool = False) -> str | None:
    """
    Give the brand that a display name or a line of text says it is, or None.

    whole:  whether the brand must stand at its beginning; for brands that are also plain words it must anyway.
    """
    plain = plain_words(words).strip(" \"'<>[]()*-_|:!.")
    if not plain:
        return None
    padded = f" {' '.join(tokens(plain))} "
    for brand in BRANDS:
        said = " ".join(tokens(brand))
        if f" {said} " not in padded:
            continue
        first = padded.startswith(f" {said} ")
        if brand in _PLAIN_WORDS:
            rest = padded.strip().removeprefix(said).split()
            if first and all(each in _BESIDE for each in rest):
                return brand
        elif not whole or first:
            return brand
    return None


# What stands beside a brand's name in a display name.
_BESIDE = frozenset(
    [
        "support",
        "team",
        "service",
        "services",
        "security",
        "account",
        "accounts",
        "center",
        "centre",
        "customer",
        "help",
        "helpdesk",
        "online",
        "com",
        "inc",
        "prime",
        "pay",
        "bank",
        "notification",
        "notifications",
        "alert",
        "alerts",
        "no",
        "reply",
        "noreply",
        "info",
        "delivery",
        "express",
        "tracking",
        "parcel",
        "id",
        "store",
        "billing",
        "music",
        "video",
        "mail",
        "admin",
        "verify",
        "update",
        "soporte",
        "servicio",
        "seguridad",
        "cliente",
        "clientes",
        "atencion",
        "equipo",
        "banco",
        "suporte",
        "servico",
        "kundenservice",
        "kundendienst",
        "sicherheit",
        "service",
        "client",
        "securite",
        "assistance",
        "assistenza",
        "clienti",
        "sicurezza",
        "24",
        "365",
        "lifelock",
        "antivirus",
        "protection",
        "acrobat",
        "sign",
        "cloud",
        "drive",
        "plus",
        "wallet",
        "one",
        "gmbh",
        "de",
        "es",
        "fr",
        "it",
        "br",
        "uk",
        "us",
        "rewards",
        "reward",
    ]
)


# Here the brand that owns the domain writes from another one, and everybody else from this one.
_ANYBODYS = frozenset(
    [
        "gmail.com",
        "googlemail.com",
        "outlook.com",
        "hotmail.com",
        "live.com",
        "msn.com",
        "icloud.com",
        "me.com",
    ]
)


def speaks_for(brand: str, domain: str) -> bool:
    """Tell whether an author at a domain may bear a brand's name: the domain is the brand's, and not one of free mailboxes."""
    return domain not in _ANYBODYS and owns(brand, domain)


def owns(brand: str, domain: str) -> bool:
    """Tell whether a domain is a brand's: on its list, or the brand's name right below a public suffix."""
    home = organisational(domain)
    if under(domain, BRANDS[brand]):
        return True
    label = home.partition(".")[0].replace("-", "")
    return label == "".join(tokens(brand)) and home.rpartition(".")[2] not in CHEAP


def any_brand_owns(domain: str) -> bool:
    """Tell whether a domain is any known brand's own."""
    home = organisational(domain)
    return any(under(home, names) or home in names for names in BRANDS.values())


def imitates(domain: str, own: Iterable[str], *, brands: bool = True) -> str | None:
    """
    Give what a domain imitates, or None: one of the organisation's domains, or a brand.

    It imitates when its name looks the same though it is spelt differently, or when it carries the name among others.

    brands:  whether brands are looked for beside the organisation's own domains.
    """
    home = organisational(domain)
    label = home.partition(".")[0]
    shown = _shown(label)
    for name in own:
        other = organisational(name)
        theirs = other.partition(".")[0]
        if home == other or len(theirs) < 4:
            continue
        if skeleton(shown) == skeleton(theirs) or (
            len(theirs) > 5 and _one_off(skeleton(shown), skeleton(theirs))
        ):
            return other
    for brand in BRANDS if brands else ():
        said = "".join(tokens(brand))
        if len(said) < 5 or brand in _PLAIN_WORDS or owns(brand, domain):
            continue
        if skeleton(shown) == skeleton(said) and shown != said:
            return brand
        pieces = re.split(r"[-.]", plain_words(domain))
        if said in pieces or any(said in piece and len(piece) < len(said) + 12 for piece in pieces[:-1]):
            return brand
    return None


def _one_off(mine: str, theirs: str) -> bool:
    """Tell whether one letter was added, dropped, changed or swapped with its neighbour."""
    if mine == theirs or abs(len(mine) - len(theirs)) > 1:
        return False
    front = 0
    while front < min(len(mine), len(theirs)) and mine[front] == theirs[front]:
        front += 1
    back = 0
    while back < min(len(mine), len(theirs)) - front and mine[-1 - back] == theirs[-1 - back]:
        back += 1
    left, right = len(mine) - front - back, len(theirs) - front - back
    swapped = left == right == 2 and mine[front : front + 2] == theirs[front : front + 2][::-1]
    return max(left, right) <= 1 or swapped


def _shown(label: str) -> str:
    """Give a label as a browser may show it."""
    if not label.startswith("xn--"):
        return label
    try:
        return label.encode("ascii").decode("idna")
    except UnicodeError:
        return label


def rented(link: Link) -> bool:
    """Tell whether a link leads to a page on a host anybody can rent by the minute."""
    return any(link.host == name or link.host.endswith("." + name) for name in RENTED) or bool(
        re.search(r"(^|\.)s3[.-][a-z0-9-]+\.amazonaws\.com$", link.host)
    )


def shortened(link: Link) -> bool:
    """Tell whether a link hides its target behind a shortener."""
    return link.host.removeprefix("www.") in SHORTENERS


def carried(link: Link) -> bool:
    """Tell whether a link leads to a service that carries bulk mail or rewrites links."""
    return organisational(link.host) in CARRIERS or link.host in CARRIERS


def social(link: Link) -> bool:
    """Tell whether a link leads to a social network or a shop of applications."""
    return link.host in SOCIAL or organisational(link.host) in SOCIAL


def numeric(link: Link) -> bool:
    """Tell whether a link names its host by number, also in the spellings browsers read: 0x…, one integer."""
    host = link.host.strip("[]")
    try:
        ipaddress.ip_address(host)
        return True
    except ValueError:
        return bool(re.fullmatch(r"(?:0x[0-9a-f]+|\d{8,10})(?:\.0x[0-9a-f]+)*", host))


def redirects(link: Link) -> bool:
    """Tell whether a link lets a well-known site pass the reader on to another."""
    return bool(_REDIRECTS.search(link.url))


def claims_another(link: Link) -> str | None:
    """Give the domain that a link's visible words name though it leads to another, or None."""
    if len(link.words) > 200:
        return None
    found = _DOMAIN_WORD.fullmatch(link.words.strip().rstrip("/").partition("?")[0].partition("/ ")[0][:200])
    if found is None:
        found = re.match(
            r"\s*https?://((?:[a-z0-9-]{1,63}\.){1,5}[a-z]{2,24})(?:[/:?#]|\s*$)", link.words, re.IGNORECASE
        )
    if found is None:
        return None
    said = found[1].lower()
    if said.rpartition(".")[2] in _FILE_ENDS or organisational(said) == organisational(link.host):
        return None
    return said


_FILE_ENDS = frozenset(
    [
        "pdf",
        "html",
        "htm",
        "doc",
        "docx",
        "xls",
        "xlsx",
        "zip",
        "txt",
        "png",
        "jpg",
        "svg",
        "wav",
        "mp3",
        "c",
        "h",
        "py",
    ]
)


def names_reader(link: Link, readers: Iterable[str]) -> bool:
    """Tell whether a link carries a reader's address, plain, escaped or in Base64, so that the page can show it."""
    wanted = [each.lower() for each in readers if "@" in each]
    if not wanted or not link.web:
        return False
    rest = unquote(unquote(link.url[len(link.split.scheme) + 3 :])).lower()
    if any(each in rest for each in wanted):
        return True
    for piece in _CODED.findall(link.url)[:20]:
        try:
            plain = base64.urlsafe_b64decode(piece.rstrip("=") + "=" * (-len(piece.rstrip("=")) % 4))
        except (ValueError, binascii.Error):
            continue
        text = plain.decode("latin-1").lower()
        if any(each in text for each in wanted):
            return True
    return False


def free_mail(address: str) -> bool:
    """Tell whether an address is at a service where anybody gets one."""
    return domain_of(address) in FREE_MAIL


def looks_random(label: str) -> bool:
    """Tell whether a name was drawn, not chosen: long, with digits among letters or hardly a vowel."""
    word = re.sub(r"[^a-z0-9]", "", label.lower())
    if len(word) < 8:
        return False
    digits = sum(sign.isdigit() for sign in word)
    vowels = sum(sign in "aeiouy" for sign in word)
    changes = sum(a.isdigit() != b.isdigit() for a, b in itertools.pairwise(word))
    consonants = re.search(r"[bcdfghjklmnpqrstvwxz]{6,}", word)
    return (
        (changes >= 3 and digits >= 2)
        or bool(consonants)
        or (len(word) > 12 and vowels * 5 < len(word) - digits)
    )
