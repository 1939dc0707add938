"""
Measures the message judge on public collections: neutralised, split by campaign, with 95 % intervals by Wilson.

    python benchmarks/messages.py CORPORA [--quiet FOLDER] [--most N] [--cache FILE]

CORPORA holds the collections as their SOURCES.md describes them (tar.zst, opened with the zstd program). Nothing of
them is kept but in the cache file, which is for repeated runs of the same code.
"""

from __future__ import annotations

import argparse
import hashlib
import pickle
import re
import subprocess
import tarfile
import time
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing import Pool
from pathlib import Path

import numpy as np

from portero.core.explain import judge_mail
from portero.core.mail.mime import Mail
from portero.core.message.arrival import Known, find_arrival
from portero.core.message.case import Case
from portero.core.message.learnt import Rate
from portero.core.message.model import Model, read_model
from portero.core.rules import rules
from portero.learning.campaigns import campaigns
from portero.learning.fit import Sample, learn, sample
from portero.learning.generated import generate
from portero.learning.refused import REFUSED
from portero.opening.budget import Budget
from portero.opening.letter import open_content, read_letter

SETS = {
    "phish": "phishing_pot/phish",
    "spamassassin": "spamassassin/ham",
    "lists-exo": "lists-exo/ham",
    "lists-html": "lists-html/ham",
    "bounces": "bounces/ham",
    "spam": "spamassassin/spam",
}
KEPT = frozenset(["from", "reply-to", "subject", "date", "mime-version"])
TAG = re.compile(r"^((?:re|fw|fwd|aw)\s*:\s*)*\[[^\]]{2,40}\]\s*", re.IGNORECASE)
FOOTER = re.compile(
    r"\n(?:_{20,}|-{20,}|={20,})[^\n]*\n(?:[^\n]*\n){0,6}[^\n]*(?:mailing list|listinfo|unsubscribe)",
    re.IGNORECASE,
)


def collection(root: Path, name: str) -> Iterator[tuple[str, bytes]]:
    """Give a collection's messages in the order of their SHA-256, as the published baselines draw samples."""
    archive = root / f"{SETS[name]}.tar.zst"
    with subprocess.Popen(["zstd", "-d", "--long=27", "-q", "-c", archive], stdout=subprocess.PIPE) as opened:
        assert opened.stdout is not None
        with tarfile.open(fileobj=opened.stdout, mode="r|") as held:
            files = [(member.name, held.extractfile(member).read()) for member in held if member.isfile()]  # type: ignore[union-attr]
    return iter(sorted(files, key=lambda each: hashlib.sha256(each[1]).digest()))


def neutral(mail: Mail) -> Mail:
    """Take away what tells a collection from another rather than a crime from a letter."""
    fields = []
    for name, value in mail.fields:
        if name.lower() in KEPT or name.lower().startswith("content-"):
            text = value.replace("phishing@pot", "user@example.com")
            fields.append((name, TAG.sub(r"\1", text) if name.lower() == "subject" else text))
    fields += [("To", "user@example.com"), ("Message-ID", "<1@example.com>")]
    parts = []
    for part in mail.parts:
        octets = part.octets.replace(b"phishing@pot", b"user@example.com").replace(
            b"phishing%40pot", b"user%40example.com"
        )
        if part.content_type.startswith("text/"):
            text = part.text.replace("phishing@pot", "user@example.com")
            footer = FOOTER.search(text)
            octets = (text[: footer.start()] if footer else text).encode("utf-8", "replace")
            part = replace(part, charset="utf-8")
        parts.append(replace(part, octets=octets))
    return Mail(tuple(fields), tuple(parts), mail.cut)


def opened(task: tuple[str, str, bytes, bool]) -> tuple[str, str, Case, float] | None:
    name, file, octets, strip = task
    mail = read_letter(octets)
    if mail is None:
        return None
    mail = neutral(mail) if strip else mail
    start = time.perf_counter()
    content = open_content(mail, Budget())
    known = Known()
    arrival = find_arrival(mail, known)
    case = Case(Mail(mail.fields, (), mail.cut, mail.has_body), arrival, content, known)
    for rule in rules():
        rule.match(case)
    spent = time.perf_counter() - start
    return name, file, Case(case.mail, arrival, content, known), spent


def shown(name: str, rate: Rate) -> str:
    low, high = rate.interval
    return f"{name:28} {rate.hits:5} of {rate.of:5}  {rate.share:7.2%}  ({low:.2%} to {high:.2%})"


def judged(cases: list[Case], model: Model | None) -> np.ndarray:
    """Give the probabilities of phish."""
    return np.array(
        [judge_mail("", case.mail, case.content, case.known, rules(), model).probability for case in cases]
    )


def report(title: str, cases: dict[str, list[Case]], model: Model | None) -> None:
    print(f"\n{title}")
    for name, held in cases.items():
        chances = judged(held, model)
        print(shown(f"  {name}: phish", Rate(int((chances >= 0.5).sum()), len(held))), end="   ")
        print(f"suspicious {int(((chances >= 0.2) & (chances < 0.5)).sum())}")
        if name == "quiet":
            for case, chance in zip(held, chances, strict=True):
                if chance >= 0.5:
                    print(f"      accused, {chance:.0%}: {case.subject}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--quiet", type=Path)
    parser.add_argument("--most", type=int, default=100_000)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--raw", action="store_true", help="do not neutralise")
    parser.add_argument("--processes", type=int, default=2)
    chosen = parser.parse_args()
    if chosen.cache and chosen.cache.exists():
        cases: dict[str, list[Case]] = pickle.loads(chosen.cache.read_bytes())
    else:
        cases, times = {}, []
        start = time.perf_counter()
        with Pool(chosen.processes) as pool:
            for name in SETS:
                tasks = (
                    (name, file, octets, not chosen.raw)
                    for number, (file, octets) in enumerate(collection(chosen.corpora, name))
                    if number < chosen.most
                )
                held = [each for each in pool.imap(opened, tasks, 16) if each is not None]
                cases[name] = [case for _, _, case, _ in held]
                times += [spent for *_, spent in held]
        took = time.perf_counter() - start
        print(
            f"{len(times)} messages opened and put to the rules: {len(times) / took:.0f} a second with {chosen.processes} processes; slowest {max(times):.1f} s"
        )
        if chosen.cache:
            chosen.cache.write_bytes(pickle.dumps(cases))
    base_file = chosen.model or Path(__file__).parents[1] / "src/portero/opening/base_model.json"
    base = read_model(base_file.read_text("utf-8")) if base_file.exists() else None
    quiet = {}
    if chosen.quiet:
        letters = [
            opened(("quiet", path.name, path.read_bytes(), False))
            for path in sorted(chosen.quiet.rglob("*.eml"))
        ]
        quiet = {"quiet": [each[2] for each in letters if each is not None]}
    shown_cases = {name: held for name, held in cases.items() if name != "spam"} | quiet
    report("Untrained: rules alone", shown_cases, None)
    report("Untrained: rules and base model", shown_cases, base)
    trained(cases, quiet)


def trained(cases: dict[str, list[Case]], quiet: dict[str, list[Case]]) -> None:
    """Train on two thirds of the campaigns, judge the others."""
    samples: list[tuple[str, Sample]] = [
        (name, sample(case, rules(), phish=name == "phish"))
        for name, held in cases.items()
        if name != "spam"
        for case in held
    ]
    groups = campaigns([each.marks for _, each in samples])
    test = [int(hashlib.sha256(str(group).encode()).hexdigest(), 16) % 3 == 0 for group in groups]
    learning = [each for (_, each), held in zip(samples, test, strict=True) if not held]
    background = [
        sample(made[2], rules(), phish=letter.phish)
        for letter in generate(900, varied=True)
        if (made := opened(("generated", "", letter.octets, True))) is not None
    ]
    learnt = learn(learning, "benchmark", cap=6.0, background=background, refused=REFUSED, progress=print)
    print("cross-validated on the learning part:")
    print(shown("  phish found", learnt.found))
    print(shown("  ham accused", learnt.accused))
    print("refused as dust:", ", ".join(learnt.dust[:40]))
    print(len(learnt.footers), "footer lines refused")
    unseen: dict[str, list[Case]] = {}
    for (name, each), held in zip(samples, test, strict=True):
        if held:
            unseen.setdefault(name, []).append(each.case)
    report("Trained, on campaigns it never saw", unseen | quiet, learnt.model)


if __name__ == "__main__":
    main()
