"""What is no feature for learning: words that tell a language, a date or a mail program, and what the rules weigh already."""

from __future__ import annotations

from portero.core.message.lures import SUBJECTS

_BY_LANGUAGE = {
    "English": (
        "about all an and are as at be been but by call can come could day did do down each find first for "
        "from get go had has have her him his how if in into is it its like long look made make many may more "
        "my no not now of on one or other our out part said see she so some than that the their them then "
        "there these they this time to two up use way we were what when which who will with would you your"
    ),
    "Spanish": (
        "al algo algunas algunos ante antes como con contra cual cuando de del desde donde durante e el ella "
        "ellos en entre es esa ese eso esta estar estas este esto estos fue ha han hasta hay la las le les lo "
        "los mas me mi mucho muy ni no nos nosotros o otra otras otro otros para pero poco por porque que "
        "quien se ser si sin sobre son su sus tambien tanto todo todos un una uno unos usted ustedes y ya yo"
    ),
    "Portuguese": (
        "ao aos as ate com da das depois do dos ela ele em entre essa esse eu foi isso ja mais mas mesmo "
        "muito na nao nas nos num os ou pela pelo quando sem seu seus so sua suas tambem ter um uma voce"
    ),
    "French": (
        "au aux avec ce ces cette dans des elle est et etre fait il ils le les leur mais ne nos notre nous "
        "ont ou par pas plus pour qui si son sont sur tout une vos votre vous"
    ),
    "German": (
        "aber als am an auch auf aus bei bis bitte das dass dem den der des die durch ein eine einem einen "
        "einer er es fur haben hat ich ihr ihre ihren ihrer im ist man mehr mit nach nicht noch nur oder sei "
        "sein sich sie sind so uber um und von vor war wenn werden wie wir wird wurde zu zum zur"
    ),
    "Italian": (
        "alla anche che ci come con da dal degli dei della delle di e era essere gli ha hanno il le lei lo "
        "loro ma nei nel noi non per piu questa questo se si sono stato su sua suo tra una voi"
    ),
}


# Months and days tell when mail was collected.
_CALENDAR = (
    "january february march april may june july august september october november december jan feb mar apr jun jul aug sep "
    "sept oct nov dec monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri sat sun "
    "am pm gmt utc enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre lunes martes "
    "miercoles jueves viernes sabado domingo janeiro fevereiro marco maio junho julho setembro outubro novembro dezembro "
    "segunda terca quarta quinta sexta feira janvier fevrier mars avril mai juin juillet aout septembre octobre novembre "
    "decembre lundi mardi mercredi jeudi vendredi samedi dimanche januar februar marz juni juli oktober dezember montag "
    "dienstag mittwoch donnerstag freitag samstag sonntag gennaio febbraio aprile maggio giugno luglio settembre ottobre "
    "dicembre lunedi martedi mercoledi giovedi venerdi sabato domenica"
)
# What mail programs and lists write themselves; that a mail is an answer or a list's has rules.
_PLUMBING = (
    "re fw fwd aw wg rv enc tr sv http https www com org net html htm url uri date sent subject cc bcc wrote writes escribio "
    "schrieb ecrit scritto escreveu original forwarded message mailman majordomo listinfo mailing list unsubscribe "
    "subscribe subscribed subscription reply quoted multi part mime charset utf iso ascii text plain content type"
)

# Without accents, as `portero.core.message.words.plain_words` writes them.
_WORDS = frozenset(word for words in (*_BY_LANGUAGE.values(), _CALENDAR, _PLUMBING) for word in words.split())

# Lures have rules; learnt too they would count twice, and shops speak of prizes and payments as well.
REFUSED = _WORDS | {f"x:lure-{subject}" for subject in SUBJECTS}
