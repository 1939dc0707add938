"""Fits a model to labelled cases, measures it by campaign and says what it refused to learn."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sparse
from sklearn.linear_model import LogisticRegression

from portero.core.explain import PHISH_FROM, PRIOR, SUSPICIOUS_FROM
from portero.core.message.case import Case, Rule
from portero.core.message.learnt import Learnt, Rate
from portero.core.message.model import Model, features, line_key
from portero.learning.campaigns import campaigns, signature

FOLDS = 5
_MOST_FEATURES = 30_000
_FEWEST_CAMPAIGNS = 3
# Share of phish the calibration assumes, the same as the prior of `portero.core.explain`.
_SHARE = 1 / (1 + math.exp(-PRIOR))
# A word in this share of one class and in almost none of the other marks where mail was collected, not what it is.
_DUST_SHARE, _DUST_REST = 0.35, 0.002
_FOOTER_SHARE, _FOOTER_WORDS = 0.02, 3
# Of the weight of each class, how much background mail has.
_BACKGROUND = 0.3


class TooLittleError(ValueError):
    """There are too few campaigns of one class to learn from: ``phish`` and ``ham`` count them."""

    def __init__(self, phish: int, ham: int) -> None:
        super().__init__(f"{phish} campaigns of phish and {ham} of ham")
        self.phish, self.ham = phish, ham


@dataclass
class Sample:
    """
    A labelled case as far as learning needs it.

    rest:        log odds by prior and rules alone, beside which the model is calibrated.
    collection:  where it was collected, for models made of several collections.
    """

    case: Case
    phish: bool
    rest: float
    marks: tuple[str, ...] = field(default=())
    collection: str = ""


def sample(case: Case, rules: Sequence[Rule], *, phish: bool, collection: str = "") -> Sample:
    """Make a sample of a case; parts that were opened are let go."""
    rest = PRIOR + sum(rule.weight for rule in rules if rule.match(case) is not None)
    return Sample(case, phish, rest, signature(case), collection)


def learn(
    samples: Sequence[Sample],
    name: str,
    *,
    cap: float,
    background: Sequence[Sample] = (),
    refused: frozenset[str] = frozenset(),
    progress: Callable[[str], None] = lambda _: None,
) -> Learnt:
    """
    Learn from samples. Raises TooLittleError below ten campaigns of a class.

    cap:         the most the model may say, in log odds.
    background:  generated mail of both kinds in all forms, learnt beside the samples and not measured: what is common in
                 one side's collection alone, such as pictures or commerce, is then not taken for the crime.
    refused:     words and traits that are no features, words alone or among themselves.
    Words that only one of several collections knows mark that collection and are no features either.
    There is no intercept anywhere: where no feature says anything, the model says nothing.
    The same samples in the same order give the same model.
    """
    labels = np.array([each.phish for each in samples])
    groups = np.array(campaigns([each.marks for each in samples]))
    counts = (len(set(groups[labels])), len(set(groups[~labels])))
    if min(counts) < 10:
        raise TooLittleError(*counts)
    dropped = _footers(samples, groups)
    own = len(samples)
    samples = [*samples, *background]
    labels = np.array([each.phish for each in samples])
    groups = np.append(groups, np.arange(own, len(samples)))
    rows = [features(each.case, dropped) for each in samples]
    vocabulary, dust = _vocabulary(
        rows, labels, groups, refused | _of_one_collection(rows, [each.collection for each in samples])
    )
    progress(
        f"{own} mails, {counts[0]} + {counts[1]} campaigns, {len(vocabulary)} features, {len(dust)} refused"
    )
    matrix = _matrix(rows, vocabulary)
    weights = _weights(labels, groups, own)
    rest = np.array([each.rest for each in samples])
    scores = np.zeros(len(samples))
    fold_of = _folds(groups, labels)
    for fold in range(FOLDS):
        held = fold_of == fold
        if not held.any() or len(set(labels[~held])) < 2:
            continue
        fitted = _fit(matrix[~held], labels[~held], weights[~held])
        scores[held] = matrix[held] @ fitted.coef_[0]
    slope = _calibrate(scores, rest, labels, weights)
    odds = rest + np.clip(slope * scores, -cap, cap)
    chances = 1 / (1 + np.exp(-odds))
    fitted = _fit(matrix, labels, weights)
    kept = np.argsort(-np.abs(fitted.coef_[0]), kind="stable")[:_MOST_FEATURES]
    names = list(vocabulary)
    model = Model(
        name=name,
        weights={names[at]: float(fitted.coef_[0][at]) for at in kept if abs(fitted.coef_[0][at]) >= 0.0005},
        slope=slope,
        cap=cap,
        dropped=dropped,
    )
    labels, chances = labels[:own], chances[:own]
    found = Rate(int((chances[labels] >= PHISH_FROM).sum()), int(labels.sum()))
    accused = Rate(int((chances[~labels] >= PHISH_FROM).sum()), int((~labels).sum()))
    doubted = Rate(
        int(((chances[~labels] >= SUSPICIOUS_FROM) & (chances[~labels] < PHISH_FROM)).sum()),
        int((~labels).sum()),
    )
    return Learnt(model, found, accused, doubted, counts, dust, tuple(sorted(dropped)))


def _footers(samples: Sequence[Sample], groups: np.ndarray) -> frozenset[str]:
    """Find lines that many campaigns of one class share and the other class lacks: what collections and lists add."""
    seen: dict[bool, dict[str, set[int]]] = {True: {}, False: {}}
    total = {
        True: len({g for g, s in zip(groups, samples, strict=True) if s.phish}),
        False: len({g for g, s in zip(groups, samples, strict=True) if not s.phish}),
    }
    for each, group in zip(samples, groups, strict=True):
        held = seen[each.phish]
        for line in set(each.case.content.text[:12_000].split("\n")):
            if 8 < len(line) < 300:
                key = line_key(line)
                if key.count(" ") >= _FOOTER_WORDS - 1:
                    held.setdefault(key, set()).add(int(group))
    found: set[str] = set()
    for label in (True, False):
        for key, places in seen[label].items():
            if len(places) >= max(10, _FOOTER_SHARE * total[label]) and len(seen[not label].get(key, ())) < 3:
                found.add(key)
    return frozenset(found)


def _of_one_collection(rows: Sequence[tuple[str, ...]], collections: Sequence[str]) -> frozenset[str]:
    """Give the words and pairs that one collection alone knows, where there are several; traits of build are no words."""
    if len(set(collections)) < 2:
        return frozenset()
    known: dict[str, str] = {}
    shared: set[str] = set()
    for row, collection in zip(rows, collections, strict=True):
        for each in row:
            if known.setdefault(each, collection) != collection:
                shared.add(each)
    return frozenset(each for each in known if each not in shared and not each.startswith("x:"))


def _vocabulary(
    rows: Sequence[tuple[str, ...]], labels: np.ndarray, groups: np.ndarray, refused: frozenset[str]
) -> tuple[dict[str, int], tuple[str, ...]]:
    """Choose features that several campaigns have, and refuse those that only mark a collection."""

    def empty(feature: str) -> bool:
        if feature in refused:
            return True
        words = feature.removeprefix("s:").removeprefix("i:").split()
        return all(word in refused for word in words)

    places: dict[str, set[int]] = {}
    for row, group in zip(rows, groups, strict=True):
        for each in row:
            held = places.setdefault(each, set())
            if len(held) < _FEWEST_CAMPAIGNS:
                held.add(int(group))
    counted: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    for row, label in zip(rows, labels, strict=True):
        counted[bool(label)].update(row)
    sizes = {True: max(1, int(labels.sum())), False: max(1, int((~labels).sum()))}
    dust = []
    kept = []
    for each in sorted(places):
        if len(places[each]) < _FEWEST_CAMPAIGNS or empty(each):
            continue
        shares = {label: counted[label][each] / sizes[label] for label in (True, False)}
        marked = any(
            shares[label] >= _DUST_SHARE and shares[not label] <= _DUST_REST for label in (True, False)
        )
        if marked and not each.startswith("x:"):
            dust.append(each)
        else:
            kept.append(each)
    return {each: at for at, each in enumerate(kept)}, tuple(dust)


def _matrix(rows: Sequence[tuple[str, ...]], vocabulary: dict[str, int]) -> sparse.csr_matrix:
    starts, columns, values = [0], [], []
    for row in rows:
        held = [vocabulary[each] for each in row if each in vocabulary]
        columns += held
        # The model divides by all features of a mail, also those it does not know.
        values += [1 / math.sqrt(len(row))] * len(held) if row else []
        starts.append(len(columns))
    return sparse.csr_matrix((values, columns, starts), shape=(len(rows), len(vocabulary)))


def _weights(labels: np.ndarray, groups: np.ndarray, own: int) -> np.ndarray:
    """Weigh a campaign by the square root of its size, the classes alike, and what follows ``own`` as a part of each."""
    sizes = Counter(groups.tolist())
    weights = np.array([1 / math.sqrt(sizes[int(group)]) for group in groups])
    shares = ((slice(0, own), 1 - _BACKGROUND), (slice(own, None), _BACKGROUND))
    for label in (True, False):
        for part, share in shares if own < len(labels) else ((slice(None), 1.0),):
            held = labels[part] == label
            if held.any():
                weights[part][held] *= share * len(labels) / (2 * weights[part][held].sum())
    return weights


def _folds(groups: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Deal campaigns to folds, large ones first, so that folds are of like size and no campaign is cut."""
    sizes = Counter(groups.tolist())
    load = {True: [0] * FOLDS, False: [0] * FOLDS}
    label_of = {int(group): bool(label) for group, label in zip(groups, labels, strict=True)}
    fold_of: dict[int, int] = {}
    for group, size in sorted(sizes.items(), key=lambda item: (-item[1], item[0])):
        held = load[label_of[group]]
        fold = held.index(min(held))
        held[fold] += size
        fold_of[group] = fold
    return np.array([fold_of[int(group)] for group in groups])


def _fit(matrix: sparse.csr_matrix, labels: np.ndarray, weights: np.ndarray) -> LogisticRegression:
    model = LogisticRegression(C=30.0, solver="liblinear", max_iter=200, random_state=0, fit_intercept=False)
    return model.fit(matrix, labels, sample_weight=weights)


def _calibrate(scores: np.ndarray, rest: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> float:
    """
    Fit a slope so that rest + slope * score are log odds at the assumed share of phish.

    Newton's method on the weighted likelihood, with a little pull towards 1; rest is an offset.
    """
    held = weights.copy()
    held[labels] *= _SHARE / held[labels].sum()
    held[~labels] *= (1 - _SHARE) / held[~labels].sum()
    held *= len(labels)
    slope = 1.0
    for _ in range(50):
        chance = 1 / (1 + np.exp(-np.clip(rest + slope * scores, -30, 30)))
        gradient = (held * (chance - labels) * scores).sum() + (slope - 1.0)
        curve = (held * chance * (1 - chance) * scores * scores).sum() + 1.0
        step = float(np.clip(gradient / curve, -1, 1))
        slope -= step
        if abs(step) < 1e-6:
            break
    return max(slope, 0.0)
