"""Single messages judged, and models learnt from them."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING

from portero.app import knowledge
from portero.app.evidence import Case
from portero.core.evidence import Origin
from portero.core.explain import Unread, Verdict
from portero.core.limits import LIMITS, Limits
from portero.core.message.case import Rule
from portero.core.message.learnt import Learnt
from portero.core.message.model import write_model
from portero.core.rules import rules
from portero.core.sender import Sender
from portero.core.text import Text, count
from portero.errors import ConfigError, InputError
from portero.faces.desk import Progress
from portero.faces.message.page import render_message
from portero.opening.models import model_of
from portero.opening.own_rules import read_rules
from portero.sources.document import Document
from portero.sources.mail_files import filed_mails
from portero.sources.walk import walk
from portero.wiring.gathering import gathered, is_letter

if TYPE_CHECKING:
    from portero.opening.judge import Task


def explain(
    messages: Sequence[str],
    *,
    own: Sequence[str],
    evidence: Sequence[Path],
    config: Path | None,
    rules: Path | None,
    model: Path | None,
    progress: Progress,
) -> list[Verdict | Unread]:
    """Judge single messages by what the evidence knows; ``-`` is standard input."""
    with _messages_extra():
        from portero.opening.judge import Judge, judge_all
        from portero.opening.mailboxes import keys
    tasks = [task for name in messages for task in _handed_over(name)]
    wanted = [key for task in tasks for key in keys(task.octets or b"")] if evidence else []
    with gathered(evidence, config, progress) as (held, tables):
        known = knowledge.known(held, tables, own, wanted, progress)
    judge = Judge(known, model_of(model), _own_rules(rules))
    return list(judge_all(tasks, judge, 1))


def scan(
    paths: Sequence[Path],
    *,
    own: Sequence[str],
    evidence: Sequence[Path],
    config: Path | None,
    rules: Path | None,
    model: Path | None,
    done: Collection[str],
    workers: int,
    progress: Progress,
) -> Iterator[Verdict | Unread]:
    """
    Judge every message below the paths; exports found there are evidence to judge by.

    What is attached to a message is no evidence, for anybody may send it.
    done:     origins that need not be judged again.
    workers:  processes that judge at the same time; 0 for one a processor.
    """
    with _messages_extra():
        from portero.opening.judge import ORIGINAL, Judge, judge_all
        from portero.opening.mailboxes import keys
    letters: list[Document] = []
    with gathered(evidence, config, progress, mails=paths, letters=letters) as (held, tables):
        wanted = (
            [key for letter in letters for task in _tasks(letter) for key in keys(task.octets or b"")]
            if any(each.rows for each in held.coverage)
            else []
        )
        known = knowledge.known(held, tables, own, wanted, progress)
        passed_over = [gap for gap in held.gaps if gap.origin.line is None]
    for gap in passed_over[:_MOST_NAMED]:
        progress(Text("{document}: {reason}", document=gap.origin.document, reason=gap.reason))
    if len(passed_over) > _MOST_NAMED:
        progress(
            count(
                "{n} more file was not read, or not whole.",
                "{n} more files were not read, or not whole.",
                len(passed_over) - _MOST_NAMED,
            )
        )
    judge = Judge(known, model_of(model), _own_rules(rules))
    tasks = (
        task
        for letter in letters
        for task in _tasks(letter)
        if task.origin not in done and f"{task.origin}{ORIGINAL}" not in done
    )
    yield from judge_all(tasks, judge, workers or os.cpu_count() or 1)


# So many files that a scan passed over are named; the others are counted.
_MOST_NAMED = 20


def judge_handed(case: Case, senders: Sequence[Sender], name: str, octets: bytes) -> list[Verdict | Unread]:
    """Judge the mails of a file that somebody handed over, the first of them, by what a case knows."""
    with _messages_extra():
        from portero.opening.judge import Judge, judge_all
    tasks = islice(_letters(name, BytesIO(octets), LIMITS), _MOST_HANDED)
    return list(judge_all(tasks, Judge(knowledge.known_of(case, senders), model_of(None)), 1))


# So many mails of one file are judged while somebody waits; `portero scan` has no such bound.
_MOST_HANDED = 10


def _handed_over(name: str) -> Iterator[Task]:
    try:
        if name == "-":
            yield from _letters(name, sys.stdin.buffer, LIMITS)
        else:
            with Path(name).open("rb") as stream:
                yield from _letters(Path(name).name, stream, LIMITS)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            Text("{file} cannot be read: {reason}. Check the path.", file=name, reason=reason), Origin(name)
        ) from None


def _tasks(letter: Document) -> Iterator[Task]:
    yield from _letters(letter.name, letter.open(), letter.limits)


def _letters(name: str, stream: IO[bytes], limits: Limits) -> Iterator[Task]:
    """Give the mails of a file, numbered where there are several."""
    from portero.opening.judge import Task

    filed = filed_mails(stream, limits)
    first, second = next(filed, None), next(filed, None)
    for each in (first, second):
        if each is not None:
            yield Task(name if second is None else f"{name}!{each.number}", each.octets)
    for each in filed:
        yield Task(f"{name}!{each.number}", each.octets)


@contextmanager
def _messages_extra() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        text = Text(
            "Messages are opened with libraries that are not installed ({missing}). Install portero with the extra {extra}.",
            missing=error.name or str(error),
            extra="messages",
        )
        raise ConfigError((text,)) from None


# Generated mails of each kind that a model learns beside the organisation's own.
_GENERATED = 900


def train(phish: Sequence[Path], ham: Sequence[Path], out: Path, *, progress: Progress) -> Learnt:
    """Learn from the organisation's own labelled mail and write the model."""
    with _messages_extra():
        from portero.learning.fit import TooLittleError, learn, sample
        from portero.learning.generated import generate
        from portero.learning.refused import REFUSED
        from portero.opening.judge import case_of
    samples = []
    for label, paths in ((True, phish), (False, ham)):
        letters = [each for each in walk((), mails=paths) if isinstance(each, Document) and is_letter(each)]
        for task in (task for letter in letters for task in _tasks(letter)):
            case = None if task.octets is None else case_of(task.octets)
            if case is not None:
                samples.append(sample(case, rules(), phish=label))
            if len(samples) % 500 == 0:
                progress(Text("Read so far: {number}", number=len(samples)))
    background = [
        sample(case, rules(), phish=letter.phish)
        for letter in generate(_GENERATED, varied=True)
        if (case := case_of(letter.octets)) is not None
    ]
    try:
        learnt = learn(samples, out.stem, cap=6.0, background=background, refused=REFUSED)
    except TooLittleError as error:
        problem = Text(
            "There is too little to learn from: {phish} campaigns of phish and {ham} of ordinary mail; ten of each are needed.",
            phish=error.phish,
            ham=error.ham,
        )
        raise ConfigError((problem,)) from None
    out.write_text(write_model(learnt.model), "utf-8")
    return learnt


def _own_rules(folder: Path | None) -> tuple[Rule, ...]:
    return read_rules(folder) if folder else ()


def write_page(verdict: Verdict, out: Path, lang: str) -> None:
    """Write one message's judgement as one page of HTML."""
    out.write_text(render_message(verdict, lang), "utf-8")
