"""Generated mail for the base model: modern ordinary mail and lures in six languages, every word of it ours."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

# Subjects, sentences and calls of ordinary mail, by language and kind. Written by hand.
_ORDINARY: dict[str, tuple[tuple[str, str, str], ...]] = {
    "en": (
        ("This month at {org}: {thing} and more", "We have news about {thing}. Members get {n}% off this week, and the offer ends on Sunday.", "Read more"),
        ("Your order {n} is confirmed", "Thank you for your order. Total charged to your card ending in {n}: {m}.90. We will tell you when it ships.", "View your order"),
        ("Your parcel arrives today", "Your delivery is on its way and arrives between 10 and 12. You can choose another day or a pickup point.", "Track your parcel"),
        ("New sign-in to your {org} account", "We noticed a new sign-in to your account. If this was you, no action is needed. If not, change your password.", "Review activity"),
        ("Confirm your email address", "Thanks for creating an account with {org}. Please confirm your email address to finish.", "Confirm email"),
        ("{person} shared {thing} with you", "{person} invited you to work on {thing}. You can comment and edit.", "Open"),
        ("Invoice {n} from {org}", "Your invoice for this month is ready. The payment of {m}.00 will be charged automatically.", "View invoice"),
        ("Reminder: your appointment on Thursday", "We look forward to seeing you. If you cannot come, please cancel 24 hours before.", "Manage appointment"),
        ("Win two tickets for {thing}", "Take part in our quiz and win two tickets. Congratulations to last month's winners!", "Take part"),
        ("Your weekly summary", "You had {n} visits and {m} new followers this week.", "See all statistics"),
        ("Two-step sign-in is on", "Two-step sign-in has been turned on for your {org} account. The codes come from your authenticator app. Keep the recovery codes in a safe place.", "Account settings"),
        ("Statement for account ending in {n}", "Your monthly statement is ready. The balance on the last day was {m}.20.", "Statements"),
        ("Invitation: {thing}, Thursday at {n}", "{person} invited you to a meeting about {thing}. Room 4, or online.", "Accept"),
        ("Voice message from extension {m}", "A call to your extension was not answered. The recording lasts {n} seconds.", "Settings"),
        ("Job {m} finished with warnings", "The nightly job ran for {n} minutes. Disk usage is at {n} %.", "Log"),
    ),
    "es": (
        ("Novedades de {org}: {thing}", "Este mes le contamos las novedades sobre {thing}. Además, {n}% de descuento hasta el domingo.", "Leer más"),
        ("Pedido {n} confirmado", "Gracias por su compra. Importe cargado en su tarjeta: {m},90. Le avisaremos del envío.", "Ver el pedido"),
        ("Su paquete llega hoy", "El repartidor va de camino. Puede elegir otro día o un punto de recogida, sin coste.", "Seguir el envío"),
        ("Nuevo inicio de sesión en su cuenta de {org}", "Hemos detectado un inicio de sesión. Si ha sido usted no tiene que hacer nada.", "Revisar la actividad"),
        ("Factura {n} disponible", "Ya puede consultar la factura de este mes en su área de cliente. Se cargará en su cuenta el día 5.", "Área de clientes"),
        ("{person} ha compartido {thing} con usted", "{person} le invita a colaborar en {thing}.", "Abrir"),
        ("Recordatorio de su cita", "Le esperamos el jueves. Si no puede venir, cancele con 24 horas de antelación.", "Gestionar la cita"),
        ("Participe en el sorteo de {thing}", "Sorteamos dos entradas entre los suscriptores. Enhorabuena a los ganadores del mes pasado.", "Participar"),
        ("La verificación en dos pasos está activada", "Se activó la verificación en dos pasos de su cuenta de {org}. Guarde los códigos de recuperación en un lugar seguro.", "Ajustes de la cuenta"),
        ("Extracto de la cuenta terminada en {n}", "Ya está su extracto mensual. El saldo del último día era de {m},20.", "Extractos"),
        ("Convocatoria: {thing}, jueves a las {n}", "{person} le convoca a una reunión sobre {thing}. Sala 4 o en línea.", "Aceptar"),
        ("Mensaje de voz de la extensión {m}", "No se atendió una llamada a su extensión. La grabación dura {n} segundos.", "Ajustes"),
        ("La tarea {m} terminó con avisos", "La tarea nocturna duró {n} minutos. El disco está al {n} %.", "Registro"),
    ),
    "pt": (
        ("Novidades da {org}: {thing}", "Veja o que preparamos sobre {thing}. Aproveite {n}% de desconto até domingo.", "Leia mais"),
        ("Pedido {n} confirmado", "Recebemos o pagamento do seu pedido no valor de R$ {m},90.", "Acompanhar pedido"),
        ("Sua encomenda saiu para entrega", "A entrega será feita hoje até as 18h. Não há taxa a pagar.", "Rastrear"),
        ("Sua fatura de novembro", "A fatura está disponível na área do cliente e vence no dia 10.", "Ver fatura"),
        ("Novo acesso à sua conta {org}", "Se foi você, não é preciso fazer nada. Se não foi, troque sua senha.", "Ver atividade"),
        ("Participe do sorteio de {thing}", "Concorra a dois ingressos. Parabéns aos ganhadores do mês.", "Participar"),
        ("Verificação em duas etapas ativada", "A verificação em duas etapas da sua conta {org} foi ativada. Guarde os códigos de recuperação.", "Definições da conta"),
        ("Extrato da conta terminada em {n}", "O extrato mensal está disponível. O saldo no último dia era de {m},20.", "Extratos"),
        ("Convite: {thing}, quinta-feira às {n}", "{person} convidou você para uma reunião sobre {thing}. Sala 4 ou online.", "Aceitar"),
        ("Mensagem de voz do ramal {m}", "Uma chamada para o seu ramal não foi atendida. A gravação tem {n} segundos.", "Definições"),
        ("A tarefa {m} terminou com avisos", "A tarefa noturna demorou {n} minutos. O disco está em {n} %.", "Registo"),
    ),
    "fr": (
        ("Les nouveautés de {org} : {thing}", "Découvrez ce mois-ci {thing}. Profitez de {n} % de remise jusqu'à dimanche.", "En savoir plus"),
        ("Confirmation de commande {n}", "Nous avons bien reçu votre paiement de {m},90 EUR. Votre colis part sous 48 heures.", "Suivre ma commande"),
        ("Votre colis arrive aujourd'hui", "Le livreur passera entre 10 h et 12 h. Aucun frais n'est dû.", "Suivre le colis"),
        ("Nouvelle connexion à votre compte {org}", "Si c'était vous, vous n'avez rien à faire. Sinon, changez votre mot de passe.", "Vérifier l'activité"),
        ("Votre facture est disponible", "Votre facture du mois est disponible dans votre espace client.", "Espace client"),
        ("La validation en deux étapes est activée", "La validation en deux étapes de votre compte {org} a été activée. Conservez les codes de secours.", "Paramètres du compte"),
        ("Relevé du compte finissant par {n}", "Votre relevé mensuel est prêt. Le solde au dernier jour était de {m},20.", "Relevés"),
        ("Invitation : {thing}, jeudi à {n} h", "{person} vous invite à une réunion sur {thing}. Salle 4 ou en ligne.", "Accepter"),
        ("Message vocal du poste {m}", "Un appel à votre poste est resté sans réponse. L'enregistrement dure {n} secondes.", "Paramètres"),
        ("La tâche {m} est terminée avec des avertissements", "La tâche nocturne a duré {n} minutes. Le disque est rempli à {n} %.", "Journal"),
    ),
    "de": (
        ("Neues von {org}: {thing}", "Diesen Monat dreht sich alles um {thing}. Bis Sonntag gibt es {n} % Rabatt.", "Weiterlesen"),
        ("Bestellung {n} bestätigt", "Vielen Dank für Ihre Bestellung über {m},90 EUR. Wir melden uns beim Versand.", "Bestellung ansehen"),
        ("Ihr Paket kommt heute", "Die Zustellung erfolgt zwischen 10 und 12 Uhr. Sie können einen Ablageort wählen.", "Sendung verfolgen"),
        ("Neue Anmeldung bei {org}", "Wenn Sie das waren, müssen Sie nichts tun. Andernfalls ändern Sie Ihr Passwort.", "Aktivität prüfen"),
        ("Ihre Rechnung {n}", "Ihre Rechnung liegt in Ihrem Kundenkonto. Der Betrag wird automatisch abgebucht.", "Zum Kundenkonto"),
        ("Gewinnen Sie zwei Karten für {thing}", "Machen Sie mit bei unserem Gewinnspiel. Herzlichen Glückwunsch an die Gewinner des letzten Monats.", "Mitmachen"),
        ("Anmeldung in zwei Schritten ist aktiv", "Für Ihr Konto bei {org} wurde die Anmeldung in zwei Schritten eingeschaltet. Bewahren Sie die Ersatzcodes gut auf.", "Einstellungen"),
        ("Kontoauszug, Konto mit Endung {n}", "Ihr monatlicher Auszug liegt bereit. Der Stand am letzten Tag war {m},20.", "Auszüge"),
        ("Einladung: {thing}, Donnerstag {n} Uhr", "{person} lädt Sie zu einer Besprechung über {thing} ein. Raum 4 oder online.", "Zusagen"),
        ("Sprachnachricht von Nebenstelle {m}", "Ein Anruf bei Ihrer Nebenstelle blieb unbeantwortet. Die Aufnahme dauert {n} Sekunden.", "Einstellungen"),
        ("Auftrag {m} mit Warnungen beendet", "Der nächtliche Auftrag lief {n} Minuten. Die Platte ist zu {n} % belegt.", "Protokoll"),
    ),
    "it": (
        ("Le novità di {org}: {thing}", "Questo mese parliamo di {thing}. Sconto del {n}% fino a domenica.", "Leggi di più"),
        ("Ordine {n} confermato", "Grazie per il tuo ordine di {m},90 EUR. Ti avviseremo della spedizione.", "Vedi l'ordine"),
        ("Il tuo pacco arriva oggi", "La consegna è prevista tra le 10 e le 12. Nessuna spesa da pagare.", "Traccia il pacco"),
        ("La sua fattura è disponibile", "La fattura del mese è nella sua area riservata.", "Area riservata"),
        ("Nuovo accesso al tuo account {org}", "Se sei stato tu non devi fare nulla. Altrimenti cambia la password.", "Controlla l'attività"),
        ("La verifica in due passaggi è attiva", "La verifica in due passaggi del suo account {org} è stata attivata. Conservi i codici di recupero.", "Impostazioni"),
        ("Estratto del conto che termina con {n}", "L'estratto mensile è pronto. Il saldo dell'ultimo giorno era di {m},20.", "Estratti"),
        ("Invito: {thing}, giovedì alle {n}", "{person} la invita a una riunione su {thing}. Sala 4 oppure online.", "Accetta"),
        ("Messaggio vocale dall'interno {m}", "Una chiamata al suo interno non ha avuto risposta. La registrazione dura {n} secondi.", "Impostazioni"),
        ("Il processo {m} è terminato con avvisi", "Il processo notturno è durato {n} minuti. Il disco è occupato al {n} %.", "Registro"),
    ),
}  # fmt: skip
_LURES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "en": (
        ("New voice message from {n}", "You have a new voicemail ({m} sec). It will be deleted in 24 hours if you do not listen.", "Listen to message"),
        ("Action required: your password expires today", "Your mailbox password expires in 24 hours. Keep the same password below to avoid losing access.", "Keep same password"),
        ("Your account has been suspended", "We detected unusual activity. Verify your identity within 24 hours or your account will be closed.", "Verify now"),
        ("Payment declined - update your billing information", "We were unable to process your payment. Your membership has expired. Update your payment method now.", "Update now"),
        ("Your package could not be delivered", "A small customs fee of {m} is unpaid. Confirm your address to receive your package.", "Confirm delivery"),
        ("Congratulations! You have been selected", "You won a gift card. Answer a short survey and claim your exclusive reward before it expires.", "Claim now"),
        ("{person} shared a secure document with you", "Review and sign the document today. This link works only for you.", "View document"),
        ("Your storage is full", "Your photos will be deleted today. Get more storage for {m} per year.", "Upgrade"),
        ("Bitcoin transfer pending", "{m} BTC is waiting in your wallet. Verify your recovery phrase to release the funds.", "Release funds"),
    ),
    "es": (
        ("Tiene un mensaje de voz nuevo", "Un mensaje de voz se eliminará en 24 horas. Escúchelo ahora.", "Escuchar mensaje"),
        ("Su contraseña caduca hoy", "La contraseña de su buzón caduca en 24 horas. Consérvela para no perder el acceso.", "Mantener la contraseña"),
        ("Su cuenta ha sido bloqueada", "Hemos detectado actividad inusual. Verifique su identidad o su cuenta será cancelada.", "Verificar ahora"),
        ("No hemos podido entregar su paquete", "Debe pagar los gastos de aduana de {m},99. Confirme su dirección hoy mismo.", "Pagar ahora"),
        ("Tiene un reembolso pendiente", "La agencia le devuelve {m},40. Confirme sus datos bancarios para recibirlo.", "Solicitar reembolso"),
        ("Ha ganado un premio", "Ha sido seleccionado. Responda la encuesta y reclame su tarjeta regalo antes de que caduque.", "Reclamar"),
    ),
    "pt": (
        ("Último aviso: regularize sua situação", "Seu CPF está irregular. Regularize hoje para evitar o bloqueio da sua conta.", "Regularizar agora"),
        ("Sua conta foi bloqueada", "Detectamos atividade suspeita. Confirme seus dados em até 24 horas.", "Confirmar dados"),
        ("Seus pontos expiram hoje", "Você tem {n} pontos a vencer. Resgate agora antes que expirem.", "Resgatar pontos"),
        ("Sua encomenda foi retida", "Pague a taxa alfandegária de R$ {m},90 para liberar a entrega.", "Liberar encomenda"),
        ("Segue comprovante em anexo", "Segue a nota fiscal e o boleto vencido. Evite o protesto pagando hoje.", "Visualizar boleto"),
        ("Parabéns, você foi sorteado", "Responda a pesquisa e receba o seu prêmio exclusivo.", "Receber prêmio"),
    ),
    "fr": (
        ("Votre compte a été suspendu", "Nous avons détecté une activité suspecte. Vérifiez votre identité sous 24 heures.", "Vérifier maintenant"),
        ("Votre colis est en attente", "Des frais de douane de {m},99 EUR restent à payer pour la livraison.", "Payer les frais"),
        ("Remboursement disponible", "Un remboursement de {m},80 EUR vous attend. Confirmez vos coordonnées bancaires.", "Recevoir"),
        ("Renouvelez votre carte vitale", "Mettez à jour vos informations afin d'éviter la suspension de vos droits.", "Mettre à jour"),
    ),
    "de": (
        ("Ihr Konto wurde eingeschränkt", "Wir haben verdächtige Aktivitäten festgestellt. Bestätigen Sie Ihre Daten innerhalb von 24 Stunden.", "Jetzt bestätigen"),
        ("Ihr Paket konnte nicht zugestellt werden", "Offene Zollgebühr: {m},99 EUR. Zahlen Sie jetzt, um die Zustellung zu erhalten.", "Jetzt bezahlen"),
        ("Ihr Passwort läuft heute ab", "Behalten Sie Ihr Passwort bei, um den Zugriff auf Ihr Postfach nicht zu verlieren.", "Passwort beibehalten"),
        ("Herzlichen Glückwunsch, Sie haben gewonnen", "Sie wurden ausgewählt. Nehmen Sie an der Umfrage teil und sichern Sie sich Ihren Gutschein.", "Gewinn sichern"),
    ),
    "it": (
        ("Il suo conto è stato bloccato", "Abbiamo rilevato attività sospette. Verifichi la sua identità entro 24 ore.", "Verifica ora"),
        ("Il pacco è in attesa", "Paghi le spese di spedizione di {m},99 EUR per ricevere la consegna.", "Paga ora"),
        ("Hai vinto un buono regalo", "Sei stato selezionato. Rispondi al sondaggio e richiedi il premio esclusivo.", "Richiedi ora"),
        ("La password scade oggi", "Mantenga la password per non perdere l'accesso alla casella.", "Mantieni la password"),
    ),
}  # fmt: skip
_ORGS = ("Alder", "Brisa", "Corvo", "Dorado", "Elbe", "Fontana", "Gamma", "Helix", "Isola", "Jupiter", "Kestrel", "Lumen", "Marina", "Nimbus", "Olmo", "Pampa")  # fmt: skip
_SORTS = (
    "shop",
    "media",
    "labs",
    "travel",
    "bank",
    "school",
    "music",
    "energy",
    "books",
    "health",
    "cloud",
    "foods",
)
_ENDS = ("com", "com", "com", "net", "org", "io", "es", "de", "fr", "it", "com.br", "co.uk")
_THINGS = ("the spring catalogue", "Roadmap", "Jazz", "Photovoltaik", "cine", "viagens", "recettes", "ricette", "analytics", "football", "vinos", "Wandern")  # fmt: skip
_PEOPLE = (
    "Ana Ruiz",
    "Tom Becker",
    "Inês Duarte",
    "Luca Conti",
    "Chloé Martin",
    "Jonas Weber",
    "Priya Shah",
    "Mark Lee",
)
_CHEAP = ("xyz", "top", "click", "shop", "online", "site", "com", "com", "info", "live", "store", "icu")
_RENTED = ("web.app", "pages.dev", "workers.dev", "blogspot.com", "weebly.com", "s3.amazonaws.com", "glitch.me", "bit.ly", "tinyurl.com", "is.gd")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Letter:
    """A generated mail as bytes, and whether it is a lure."""

    octets: bytes
    phish: bool


def generate(number: int, seed: int = 20261124, *, varied: bool = False) -> Iterator[Letter]:
    """
    Give so many ordinary mails and as many lures; the same number and seed give the same mails.

    varied:  whether both kinds come in the same many forms, plain and HTML, short and long, with and without pictures, so
             that a mail's form tells nothing about its kind.
    """
    draw = random.Random(seed)  # noqa: S311 - nothing secret is drawn
    for at in range(number):
        for phish in (False, True):
            texts = _LURES if phish else _ORDINARY
            language = draw.choice(("en", "en", "es", "es", "pt", "fr", "de", "it"))
            more = [draw.choice(texts[language])[1] for _ in range(draw.choice(_LENGTHS))] if varied else None
            yield Letter(_letter(draw, draw.choice(texts[language]), at, more, phish=phish), phish)


# How many sentences of its kind follow a varied mail's own.
_LENGTHS = (0, 0, 0, 1, 2, 4, 8, 12)


def _letter(
    draw: random.Random, chosen: tuple[str, str, str], at: int, more: list[str] | None, *, phish: bool
) -> bytes:
    org, sort = draw.choice(_ORGS), draw.choice(_SORTS)
    home = f"{org.lower()}{sort}.{draw.choice(_ENDS)}"
    values = {
        "org": f"{org} {sort.title()}",
        "thing": draw.choice(_THINGS),
        "person": draw.choice(_PEOPLE),
        "n": draw.randrange(10, 90),
        "m": draw.randrange(1, 400),
    }
    subject, sentence, call = (text.format(**values) for text in chosen)
    if phish:
        author, target = _stranger(draw), _trap(draw)
        name = draw.choice(
            (values["org"], "Support", "Notification", values["person"], subject.split(":")[0])
        )
        links = [target] * draw.randrange(1, 4)
        footer = ""
    else:
        author, name = (
            f"{draw.choice(('news', 'no-reply', 'info', 'hello', 'service'))}@{home}",
            values["org"],
        )
        carrier = draw.random() < 0.3
        links = [
            f"https://u{at}.ct.sendgrid.net/ls/click?upn={at}x" if carrier else f"https://www.{home}/{at}"
        ] * draw.randrange(1, 5)
        links += draw.sample(
            [
                f"https://www.{home}/help",
                "https://www.facebook.com/x",
                "https://www.instagram.com/x",
                f"https://{home}/privacy",
            ],
            2,
        )
        footer = f'<p style="font-size:11px">{values["org"]} · <a href="https://www.{home}/unsubscribe">Unsubscribe</a></p>'
    picture = f'<img src="https://www.{home}/logo.png">' if draw.random() < 0.6 else ""
    page = (
        f"<html><body>{picture}<p>{sentence}</p>"
        + "".join(f'<p><a href="{link}">{call}</a></p>' for link in links)
        + f"{footer}</body></html>"
    )
    head = f"From: {name} <{author}>\r\nTo: user@example.com\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\n"
    if more is None:
        return f"{head}Content-Type: text/html; charset=utf-8\r\n\r\n{page}\r\n".encode()
    sentences = [sentence, *(each.format(**values) for each in more)]
    form = draw.random()
    if form < 0.35:
        calls = "" if form < 0.1 else "".join(f"\r\n{call}: {link}\r\n" for link in dict.fromkeys(links))
        text = "\r\n\r\n".join(sentences)
        return f"{head}Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n{calls}\r\n".encode()
    pictures = "".join(
        f'<img src="https://www.{home}/{number}.jpg">'
        for number in range(draw.choice((0, 0, 1, 2, 5, 9, 25)))
    )
    blocks = "".join(f"<tr><td>{each}</td></tr>" for each in sentences)
    buttons = "".join(f'<p><a href="{link}">{call}</a></p>' for link in links)
    page = (
        f"<html><body>{pictures}<table>{blocks}</table>{buttons}{footer if form < 0.8 else ''}</body></html>"
    )
    return f"{head}Content-Type: text/html; charset=utf-8\r\n\r\n{page}\r\n".encode()


def _stranger(draw: random.Random) -> str:
    letters = "".join(draw.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(draw.randrange(5, 12)))
    local = draw.choice(
        ("info", "contact", "no-reply", "support", letters[:6], f"{letters[:4]}{draw.randrange(10, 999)}")
    )
    return f"{local}@{letters}.{draw.choice(_CHEAP)}"


def _trap(draw: random.Random) -> str:
    letters = "".join(
        draw.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(draw.randrange(6, 14))
    )
    if draw.random() < 0.5:
        return f"https://{letters}.{draw.choice(_RENTED)}/{letters[:5]}"
    return f"https://{letters}.{draw.choice(_CHEAP)}/{letters[::-1]}"
