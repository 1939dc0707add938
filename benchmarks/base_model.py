"""
Builds the base model that comes along, from data that may be shipped: generated mail, and the SpamAssassin and bounce collections.

    python benchmarks/base_model.py CORPORA

The SpamAssassin corpus is CC0 and the bounces are under the BSD 2-clause licence; neither phishing_pot nor any list is read.
The same collections give the same file.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from messages import collection, neutral, shown
from portero.core.mail.mime import Mail
from portero.core.message.arrival import Known, find_arrival
from portero.core.message.case import Case
from portero.core.message.model import write_model
from portero.core.rules import rules
from portero.learning.fit import Sample, learn, sample
from portero.learning.generated import generate
from portero.learning.refused import REFUSED
from portero.opening.budget import Budget
from portero.opening.letter import open_content, read_letter

# The collections are of 2002, the mail it will judge is not: it may say no more than this beside the rules, which is
# less than the prior and a single low rule would need beside an author with proof.
CAP = 1.5
GENERATED = 900
PLACE = Path(__file__).parents[1] / "src/portero/opening/base_model.json"


def of(octets: bytes, collection: str, *, phish: bool) -> Sample | None:
    mail = read_letter(octets)
    if mail is None:
        return None
    mail = neutral(mail)
    content = open_content(mail, Budget())
    known = Known()
    case = Case(Mail(mail.fields, (), mail.cut, mail.has_body), find_arrival(mail, known), content, known)
    return sample(case, rules(), phish=phish, collection=collection)


def main() -> None:
    corpora = Path(sys.argv[1])
    samples = [
        of(octets, "bounces" if name == "bounces" else "spamassassin", phish=name == "spam")
        for name in ("spamassassin", "bounces", "spam")
        for _, octets in collection(corpora, name)
    ]
    samples += [
        of(letter.octets, "generated", phish=letter.phish) for letter in generate(GENERATED, varied=True)
    ]
    held = [each for each in samples if each is not None]
    learnt = learn(held, "base", cap=CAP, refused=REFUSED, progress=print)
    print(
        shown("lures and spam found", learnt.found), shown("\nordinary mail accused", learnt.accused), sep=""
    )
    facts = {
        "made_from": "SpamAssassin public corpus (CC0 1.0), sisimai/set-of-emails (BSD 2-clause), generated mail",
        "campaigns": list(learnt.campaigns),
        "found": [learnt.found.hits, learnt.found.of],
        "accused": [learnt.accused.hits, learnt.accused.of],
    }
    PLACE.write_text(write_model(replace(learnt.model, facts=facts)), "utf-8")
    print(PLACE.stat().st_size, "octets")


if __name__ == "__main__":
    main()
