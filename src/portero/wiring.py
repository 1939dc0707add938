"""Wiring: the one place that knows every part and puts them together."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime
from importlib.metadata import PackageNotFoundError, version
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING

from portero import app
from portero.collect.dns_lines import dns_lines
from portero.collect.live_dns import LiveDns, read_server, system_servers
from portero.config import find_config, load_config
from portero.core import cmdb
from portero.core.address import a_label, mailbox_key
from portero.core.audit import Audit
from portero.core.controls import Control, UnknownControlError, apply_controls, parse_control
from portero.core.coverage import Effective, answers, coverage, found_for, groups_of, mailboxes
from portero.core.decision import Decision
from portero.core.dns import Dns, DnsAnswer, DnsZone
from portero.core.domain import DomainReport, domain_posture, domain_report, open_questions
from portero.core.drift import Drift, drift
from portero.core.evidence import ConfigAnswer, ConfigObject, Coverage, Gap, Origin
from portero.core.exchange.selectors import SELECTORS
from portero.core.exchange.settings import Settings, Tenant, read_settings
from portero.core.explain import Unread, Verdict
from portero.core.finding import Profile
from portero.core.hosts import Inside
from portero.core.limits import LIMITS, LimitError, Limits
from portero.core.mail.conversation import Question
from portero.core.message.arrival import TracedMail
from portero.core.message.case import Rule
from portero.core.message.learnt import Learnt
from portero.core.message.model import write_model
from portero.core.network_names import NetworkMap
from portero.core.plan import plan_controls
from portero.core.register import Configuration
from portero.core.reopening import basis_of
from portero.core.rules import rules
from portero.core.scenario import draft
from portero.core.sender import Judgement, Sender
from portero.core.simulation import Simulation
from portero.core.text import Text, count
from portero.decision_log import FILE_NAME, append, find_logs, read_log
from portero.engine.evidence_tables import EvidenceTables, evidence_tables
from portero.engine.fold import Folded, fold
from portero.engine.hosts import fold_hosts
from portero.engine.mails import keep_mails
from portero.errors import ConfigError, InputError
from portero.exports import exports
from portero.exports.export import Report
from portero.faces.audit_json import as_json, audit_document, finding_document
from portero.faces.desk import Asking, ServeOptions
from portero.faces.message.page import render_message
from portero.faces.plan_markdown import plan_markdown
from portero.faces.powershell import scripts
from portero.faces.relay_cases import RelayUseCases
from portero.faces.render import Renderer
from portero.faces.report.page import render_report
from portero.faces.risks import risks_csv, risks_markdown
from portero.faces.tables import findings_csv, senders_csv
from portero.faces.waves import plan_csv, plan_ics, waves_markdown
from portero.keeping import Keeping
from portero.known import maker_of
from portero.known import services as known_services
from portero.opening.models import model_of
from portero.opening.own_rules import read_rules
from portero.proving.demo import write_sample
from portero.scenario_file import load_scenario, scenario_toml
from portero.serve_file import RelayPlace, load_serve_file
from portero.sources import sources
from portero.sources.document import Batch, Counted, Document, Item, Note, Source
from portero.sources.mail_files import filed_mails
from portero.sources.object_store import is_stored
from portero.sources.text import HEAD_OCTETS, sniff, utf8_blocks
from portero.sources.walk import name_below, walk
from portero.store.lake import Kept, Lake, alone, folder_of, organisations, writing

if TYPE_CHECKING:
    from portero.faces.web.ports import RelayDoor
    from portero.opening.judge import Task

Progress = Callable[[Text], None]


@dataclass
class _Reader:
    """Collects what documents hold while they are read."""

    tables: EvidenceTables
    names: list[str]
    notes: dict[int, list[Text]]
    kinds: dict[int, str]
    objects: list[ConfigObject]
    answers: list[ConfigAnswer]
    dns: list[DnsAnswer]
    zones: list[DnsZone]
    gaps: list[Gap]
    counted: dict[int, Counted]
    networks: list[NetworkMap]

    def keep(self, document: Document, source: Source, keeping: Keeping) -> None:
        """Read a document into the lake, unless it is there, and collect what is not kept there."""
        name = keeping.identify(document)
        if not keeping.has(name):
            rest = keeping.take(name, document.name, source.id, _items(document, source))
            if rest is not None:
                self._collect(document, source, rest)

    def read(self, document: Document, source: Source) -> None:
        """Read a document into this run's tables."""
        self._collect(document, source, _items(document, source))

    def _collect(self, document: Document, source: Source, items: Iterable[Item]) -> None:
        number = len(self.names)
        self.names.append(document.name)
        self.notes[number] = []
        self.kinds[number] = source.id
        for item in items:
            if isinstance(item, Batch):
                self.tables.add(number, item.table, item.rows)
            elif isinstance(item, Gap):
                self.gaps.append(item)
            elif isinstance(item, Note):
                self.notes[number].append(item.text)
            elif isinstance(item, Counted):
                self.counted[number] = item
            elif isinstance(item, NetworkMap):
                self.networks.append(item)
            elif isinstance(item, ConfigObject):
                self.objects.append(item)
            elif isinstance(item, ConfigAnswer):
                self.answers.append(item)
            elif isinstance(item, DnsAnswer):
                self.dns.append(item)
            else:
                self.zones.append(item)

    def coverage(self) -> tuple[Coverage, ...]:
        spans = self.tables.spans()
        others: dict[str, int] = {}
        origins = [held.origin for held in self.objects]
        origins += [held.origin for held in self.zones]
        for origin in (*origins, *(held.origin for held in self.dns if held.origin)):
            others[origin.document] = others.get(origin.document, 0) + 1
        found = []
        for number, name in enumerate(self.names):
            counted = self.counted.get(number, Counted(others.get(name, 0)))
            rows, first, last = spans.get(number, (counted.rows, counted.first, counted.last))
            found.append(Coverage(name, self.kinds[number], rows, first, last, tuple(self.notes[number])))
        return tuple(found)


def _items(document: Document, source: Source) -> Iterator[Item]:
    """Read a document within its limit of records. Whatever its source raises ends this document alone, by name."""
    records = 0
    try:
        for item in source.read(document):
            records += (
                item.rows.num_rows if isinstance(item, Batch) else isinstance(item, ConfigObject | DnsAnswer)
            )
            if records > document.limits.records:
                reason = Text(
                    "It holds more than {n} records; the rest was not read.", n=document.limits.records
                )
                yield Gap(Origin(document.name), reason)
                return
            yield item
    except Exception as error:
        reason = Text(
            "Reading stopped at a fault of the program ({fault}); what stands before it is used. Please report it.",
            fault=type(error).__name__,
        )
        yield Gap(Origin(document.name), reason)


@dataclass(frozen=True, slots=True)
class _Tables:
    """Fits the engine to the port that the use cases name."""

    held: EvidenceTables
    names: Sequence[str]

    def own_domains(self) -> tuple[str, ...]:
        """Guess the organisation's domains from mail alone."""
        return self.held.own_domains()

    def reported_domains(self) -> tuple[str, ...]:
        """Name the domains that DMARC reports are about."""
        return self.held.reported_domains()

    def fold(self, settings: Settings) -> Folded:
        """Fold all rows to flows."""
        return fold(self.held, settings, self.names)

    def hosts(self, settings: Settings, own: Callable[[str], bool], zone: str | None) -> Inside:
        """Fold what network evidence shows of hosts."""
        return fold_hosts(self.held, settings, self.names, own, zone)

    def traced(self, keys: Sequence[str]) -> dict[str, TracedMail]:
        """Give what traces say of mails, by network message id and by Message-ID."""
        return self.held.traced(keys, self.names)


@dataclass(frozen=True, slots=True)
class _About:
    """What live DNS is asked about: domains, their DKIM selectors, and SPF records that are to be replayed."""

    domains: tuple[str, ...]
    selectors: tuple[str, ...] = SELECTORS
    proposed: Mapping[str, str] = field(default_factory=dict)


def _resolved(reader: _Reader, asking: Asking, about: _About, progress: Progress) -> tuple[DnsAnswer, ...]:
    """Ask live DNS what the evidence leaves open about some domains, and keep the answers where asked to."""
    try:
        servers = tuple(map(read_server, asking.resolvers)) or system_servers()
    except ValueError:
        raise ConfigError(
            (Text("--resolver takes an address, or ADDRESS:PORT, not {given}.", given=asking.resolvers),)
        ) from None
    progress(Text("Asking DNS about {domains}…", domains=about.domains))
    now = datetime.now(UTC)

    def wanted(found: Sequence[DnsAnswer]) -> tuple[Question, ...]:
        dns = Dns([*reader.dns, *found], reader.zones)
        return open_questions(dns, about.domains, now, about.selectors, about.proposed)

    answers = LiveDns(servers).settle(wanted)
    if asking.record is not None:
        try:
            asking.record.write_text(dns_lines(answers), "ascii")
        except OSError as error:
            reason = error.strerror or str(error)
            raise ConfigError(
                (Text("{file} cannot be written: {reason}.", file=str(asking.record), reason=reason),)
            ) from error
    return answers


# Evidence becomes millions of values without circles, in which the collector searches in vain for a third of the time.
COLLECT_EVERY = (200_000, 50, 100)


@contextmanager
def _gathered(
    paths: Sequence[Path],
    config: Path | None,
    progress: Progress,
    asking: Asking | None = None,
    controls: Sequence[Control] = (),
    about: _About | None = None,
    mails: Sequence[Path] = (),
    letters: list[Document] | None = None,
    store: Path | None = None,
) -> Iterator[tuple[app.Evidence, app.Tables]]:
    """
    Read evidence.

    mails:    further paths, whose mails are no evidence: they are added to ``letters``.
    store:    a folder that keeps evidence: all that is kept there counts too.
    """
    gc.set_threshold(*COLLECT_EVERY)
    for path in (*mails, *paths):
        if not is_stored(path) and not path.exists():
            raise InputError(Text("There is no file or folder {path}.", path=str(path)), Origin(str(path)))
    settings_file = config or find_config((*mails, *paths))
    configuration = load_config(settings_file) if settings_file else Configuration()
    known = sources()
    # The configuration is read apart from the evidence, so it is neither evidence nor unknown.
    settled = [*([settings_file] if settings_file else []), *find_logs((*mails, *paths), settings_file)]
    own = {name_below(each, path) for path in (*mails, *paths) for each in settled}
    with _keeping(store, configuration.name, progress) as keeping, evidence_tables() as tables:
        reader = _Reader(tables, [], {}, {}, [], [], [], [], [], {}, [])
        for found in walk(paths, _limits(configuration), mails=mails):
            if isinstance(found, Gap):
                reader.gaps.append(found)
                continue
            if found.name in own:
                continue
            if found.whole and letters is not None and _is_letter(found):
                letters.append(found)
                continue
            source = next((each for each in known if each.recognise(found.head)), None)
            if source is None:
                reader.gaps.append(Gap(Origin(found.name), _UNRECOGNISED))
                continue
            progress(Text("Reading {document}…", document=found.name))
            if keeping is None:
                reader.read(found, source)
            else:
                reader.keep(found, source, keeping)
        tables.finish()
        held_tables: app.Tables = _Tables(tables, reader.names)
        if keeping is not None:
            keeping.settle(configuration.keep_days)
            held_tables = keeping
        tenant = Tenant(reader.objects, reader.answers)
        reader.gaps += _several(tenant)
        if asking is not None:
            held = read_settings(tenant, configuration.accepted_domains).accepted_domains
            own_domains = tuple(domain.name for domain in held) or app.supposed_domains(held_tables)[0]
            proposed = apply_controls(Settings(), tuple(controls)).spf_records
            meant = about or _About(own_domains, proposed=proposed)
            reader.dns += _resolved(reader, asking, meant, progress)
        evidence = app.Evidence(
            tenant=tenant,
            dns=Dns(reader.dns, reader.zones),
            coverage=(*(keeping.coverage() if keeping else ()), *reader.coverage()),
            gaps=(*(keeping.gaps() if keeping else ()), *reader.gaps),
            configuration=configuration,
            maker_of=maker_of,
            services=known_services(),
            networks=tuple(reader.networks),
        )
        yield evidence, held_tables


def _several(tenant: Tenant) -> Iterator[Gap]:
    """Say that the configurations of several organisations were given: what one of them refuses, another may take."""
    names = tenant.organisations()
    if names:
        origin = tenant.origin("Get-OrganizationConfig") or tenant.origin("Get-AcceptedDomain")
        yield Gap(
            origin or Origin("Get-OrganizationConfig"),
            Text(
                "The evidence holds the configurations of several organisations: {names}. What each of them has only one "
                "of, such as RejectDirectSend, is taken for unknown. Audit each organisation in a folder of its own.",
                names=names,
            ),
            len(names),
        )


@contextmanager
def _keeping(store: Path | None, organisation: str | None, progress: Progress) -> Iterator[Keeping | None]:
    """Open an organisation's lake for this run alone, where there is to be one."""
    if store is None:
        yield None
        return
    root = store / folder_of(organisation)
    with alone(root, lambda: progress(Text("Waiting for another run over {store}…", store=str(store)))):
        yield Keeping(Lake(root))


def _limits(configuration: Configuration) -> Limits:
    """Give the configured limits, changed by the environment: PORTERO_LIMIT_NESTING and so on."""
    given = {
        name.removeprefix(_LIMIT).lower(): value
        for name, value in os.environ.items()
        if name.startswith(_LIMIT)
    }
    try:
        return configuration.limits.with_values(given)
    except LimitError as error:
        name = f"{_LIMIT}{str(error).upper()}"
        template = "{variable} is {value}, which is no limit. Known: {names}; each a whole number from 1."
        names = tuple(f"{_LIMIT}{field.name.upper()}" for field in fields(Limits))
        raise ConfigError((Text(template, variable=name, value=os.environ[name], names=names),)) from None


_LIMIT = "PORTERO_LIMIT_"

_UNRECOGNISED = Text(
    "Nobody here knows this format. If it is an export of mail or settings, export it as the documentation shows."
)


def audit(
    paths: Sequence[Path],
    *,
    config: Path | None,
    profile: Profile,
    progress: Progress,
    asking: Asking | None = None,
    baseline: Path | None = None,
    store: Path | None = None,
) -> Audit:
    """Read evidence and audit it, against an approved state where one is given; with a store, all that is kept there too."""
    decisions = _decisions(paths, config)
    approved = configuration_of([baseline], progress) if baseline else None
    with _gathered(paths, config, progress, asking, store=store) as (evidence, tables):
        held = replace(evidence, approved=approved)
        return app.audit(held, tables, datetime.now(UTC), profile, progress, decisions)


def configuration_of(paths: Sequence[Path], progress: Progress) -> Tenant:
    """Read the tenant's configuration alone."""
    with _gathered(paths, None, progress) as (evidence, _):
        return evidence.tenant


def changes(before: Path, after: Sequence[Path], *, progress: Progress) -> tuple[Drift, ...]:
    """Say what changed between two states of the configuration, and who is among those let in now."""
    earlier = configuration_of([before], progress)
    with _gathered(after, None, progress) as (evidence, tables):
        held = app.inventory(evidence, tables, progress)
        return drift(earlier, evidence.tenant, held.senders)


def snapshot(paths: Sequence[Path], out: Path, *, progress: Progress) -> Path:
    """Keep the configuration of this moment in a folder, in a form that is evidence again."""
    tenant = configuration_of(paths, progress)
    moment = datetime.now(UTC)
    held = {
        cmdlet: [item.properties for item in tenant.objects(cmdlet) or ()]
        for cmdlet in sorted(tenant.cmdlets())
    }
    if not held:
        raise InputError(
            Text("No configuration is among this evidence, so there is nothing to keep."),
            Origin(str(paths[0])),
        )
    name = f"configuration-{moment:%Y%m%dT%H%M%SZ}.json"
    [written] = _write_files(out, {name: as_json(held).encode()})
    return written


def effective(
    paths: Sequence[Path], recipients: Sequence[str], *, config: Path | None, progress: Progress
) -> Effective:
    """Say which policy really applies to mailboxes, and how many of all mailboxes stand where."""
    with _gathered(paths, config, progress) as (evidence, _):
        domains = read_settings(evidence.tenant, evidence.configuration.accepted_domains).accepted_domains
        found = found_for(evidence.tenant, (held.name for held in domains))
        groups = groups_of(evidence.tenant)
        return Effective(
            {each: answers(mailbox_key(each), found, groups) for each in recipients},
            coverage(mailboxes(evidence.tenant), found, groups),
        )


def formats() -> Mapping[str, str]:
    """Give the formats of findings and what their files are called."""
    return {"csv": "findings.csv", "json": "findings.json"} | {each.id: each.file for each in exports()}


def _version() -> str:
    """Give the installed version; a checkout that was never installed has none."""
    try:
        return version("portero")
    except PackageNotFoundError:
        return "0+checkout"


def export(audit: Audit, form: str, lang: str) -> bytes:
    """Write an audit's findings in one format."""
    renderer = Renderer(lang)
    if form == "csv":
        return findings_csv(audit, renderer)
    if form == "json":
        return as_json([finding_document(each, renderer) for each in audit.findings]).encode()
    report = Report(audit, renderer.value, lang, _version())
    return next(each for each in exports() if each.id == form).write(report)


def simulate(
    paths: Sequence[Path],
    controls: Sequence[str],
    *,
    config: Path | None,
    progress: Progress,
    asking: Asking | None = None,
    store: Path | None = None,
) -> Simulation:
    """Read evidence and replay the controls together on it."""
    parsed = [control(text) for text in controls]
    decisions = _decisions(paths, config)
    with _gathered(paths, config, progress, asking, parsed, store=store) as (evidence, tables):
        return app.what_if(evidence, tables, parsed, progress, decisions, datetime.now(UTC))


def try_scenarios(
    files: Sequence[Path],
    paths: Sequence[Path],
    controls: Sequence[str] = (),
    *,
    config: Path | None,
    progress: Progress,
    asking: Asking | None = None,
    store: Path | None = None,
) -> app.Trial:
    """Read evidence and replay scenario files on it, each with these controls beside its own."""
    held = [load_scenario(each) for each in files]
    held = [replace(each, controls=(*each.controls, *controls)) for each in held]
    parsed = [control(text) for each in held for text in each.controls]
    decisions = _decisions(paths, config)
    with _gathered(paths, config, progress, asking, parsed, store=store) as (evidence, tables):
        return app.try_scenarios(evidence, tables, held, progress, decisions, datetime.now(UTC))


def draft_scenario(audit: Audit) -> str:
    """Write the audit's plan down as a scenario file."""
    roads = {identity: each.road for identity, each in audit.migrations.items()}
    return scenario_toml(draft(plan_controls(audit.plan), roads))


def _decisions(paths: Sequence[Path], config: Path | None) -> tuple[Decision, ...]:
    """Read what people decided, before the evidence: whoever wrote a wrong line need not wait to be told."""
    logs = find_logs(paths, config or find_config(paths))
    return tuple(sorted((each for path in logs for each in read_log(path)), key=lambda each: each.decided_at))


def decide(
    lines: Sequence[Decision],
    *,
    config: Path | None,
    evidence: Sequence[Path],
    progress: Progress,
) -> tuple[Path, tuple[Text, ...], Sequence[Decision]]:
    """
    Record what a person decided, all of it or nothing, beside the configuration, else in the working folder.

    evidence:  where there is any, the senders must be in it; the second value says what became of their shape, and the
               acts, which are the third, rest on it.
    """
    remarks: tuple[Text, ...] = ()
    if evidence:
        lines, remarks = _tried(lines, evidence, config, progress)
    return _recorded(lines, config), remarks, lines


def enrol(
    table: Path,
    base: Decision,
    *,
    otherwise: Judgement | None,
    skip_unmatched: bool,
    config: Path | None,
    evidence: Sequence[Path],
    progress: Progress,
) -> tuple[Path, Sequence[Decision], int]:
    """Record what a table of assets says of the senders in evidence, all of it or nothing."""
    text = _table_text(table)
    past = _decisions(evidence, config)
    now = datetime.now(UTC)
    with _gathered(evidence, config, progress) as (held, tables):
        senders = app.decided(held, app.inventory(held, tables, progress), past, now)
    try:
        lines, skipped = cmdb.enrol(text, senders, base, otherwise=otherwise, skip_unmatched=skip_unmatched)
    except cmdb.UnreadableTableError as error:
        raise ConfigError(error.problems) from None
    found = {each.id: each for each in senders}
    lines = tuple(
        replace(line, basis=basis_of(found[line.sender])) if line.judgement else line for line in lines
    )
    return (_recorded(lines, config) if lines else _record_file(config)), lines, skipped


def _table_text(path: Path) -> str:
    """Give the text of a table in whatever encoding a spreadsheet writes; raises InputError where it cannot be read."""
    try:
        with path.open("rb") as stream:
            raw = stream.read(_TABLE_OCTETS + 1)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            Text("{file} cannot be read: {reason}. Check the path.", file=str(path), reason=reason),
            Origin(str(path)),
        ) from error
    if len(raw) > _TABLE_OCTETS:
        raise InputError(
            Text("{file} is larger than {limit} octets.", file=str(path), limit=_TABLE_OCTETS),
            Origin(str(path)),
        )
    return b"".join(utf8_blocks(BytesIO(raw), sniff(raw[:HEAD_OCTETS]))).decode()


# A line for each of a million assets.
_TABLE_OCTETS = 1 << 28


def _record_file(config: Path | None) -> Path:
    settings_file = config or find_config(())
    return (settings_file.parent if settings_file else Path.cwd()) / FILE_NAME


def _recorded(lines: Sequence[Decision], config: Path | None) -> Path:
    path = _record_file(config)
    try:
        append(path, *lines)
    except OSError as error:
        raise ConfigError(
            (Text("Cannot write {file}: {reason}.", file=str(path), reason=error.strerror or str(error)),)
        ) from error
    return path


def _tried(
    lines: Sequence[Decision], paths: Sequence[Path], config: Path | None, progress: Progress
) -> tuple[tuple[Decision, ...], tuple[Text, ...]]:
    """Give new acts as evidence supports them, and what they make of its senders; raises ConfigError as `decide` does."""
    past = _decisions(paths, config)
    with _gathered(paths, config, progress) as (evidence, tables):
        return app.try_decisions(
            evidence, app.inventory(evidence, tables, progress), past, lines, datetime.now(UTC)
        )


def kept(store: Path) -> tuple[tuple[str, Kept], ...]:
    """Give the documents of a store, each with the folder of its organisation."""
    return tuple((name, each) for name in organisations(store) for each in Lake(store / name).documents)


def forget(store: Path, documents: Sequence[str]) -> tuple[Kept, ...]:
    """
    Take documents, named by id or by name, out of a store.

    Raises ConfigError, before anything is dropped, for one that is not there or that several are called.
    """
    held = kept(store)
    chosen: dict[str, set[str]] = {}
    problems = []
    for given in documents:
        found = {(place, each.id) for place, each in held if each.id == given} or {
            (place, each.id) for place, each in held if each.name == given
        }
        if len(found) != 1:
            none = Text("The store holds no document {given}. portero evidence list shows them.", given=given)
            many = Text(
                "The store holds {number} documents called {given}. Name one by its id.",
                given=given,
                number=len(found),
            )
            problems.append(many if found else none)
        for place, document in found:
            chosen.setdefault(place, set()).add(document)
    if problems:
        raise ConfigError(tuple(problems))
    gone: list[Kept] = []
    for place, ids in chosen.items():
        with alone(store / place, lambda: None), writing(store / place):
            gone += Lake(store / place).drop(ids)
    return tuple(gone)


def domains(
    names: Sequence[str],
    paths: Sequence[Path],
    *,
    selectors: Sequence[str],
    flatten: bool,
    config: Path | None,
    progress: Progress,
    asking: Asking | None,
) -> tuple[DomainReport, ...]:
    """Judge domains by their records, as the evidence or live DNS has them, and by the mail in the evidence."""
    about = _About(tuple(map(a_label, names)), tuple(selectors))
    with _gathered(paths, config, progress, asking, about=about) as (evidence, tables):
        now = datetime.now(UTC)
        postures = [domain_posture(evidence.dns, name, now, about.selectors) for name in about.domains]
        if not paths:
            return tuple(map(DomainReport, postures))
        held = app.inventory(evidence, tables, progress)
        return tuple(
            domain_report(each, held.senders, held.outside, held.settings, flatten=flatten)
            for each in postures
        )


def control(text: str) -> Control:
    """Read a control; a ConfigError says what would be right."""
    try:
        return parse_control(text)
    except UnknownControlError as error:
        raise ConfigError((error.text,)) from None


def write(audit: Audit, out: Path, lang: str) -> list[Path]:
    """Write the files of an audit and give their paths."""
    return _write_files(out, files(audit, lang))


def start(audit: Audit, day: date) -> Audit:
    """Lay the plan out from a day on."""
    return app.start(audit, day)


def write_plan(audit: Audit, out: Path, lang: str) -> list[Path]:
    """Write the plan and its scripts alone and give their paths."""
    return _write_files(out, _plan_files(audit, Renderer(lang)))


def files(audit: Audit, lang: str) -> Mapping[str, bytes]:
    """Give the files of an audit by name. Source: contract section 3."""
    renderer = Renderer(lang)
    return {
        "audit.json": as_json(audit_document(audit, renderer)).encode(),
        "senders.csv": senders_csv(audit, renderer),
        "findings.csv": findings_csv(audit, renderer),
        "report.html": render_report(audit, lang).encode(),
        **_plan_files(audit, renderer),
    }


def _plan_files(audit: Audit, renderer: Renderer) -> dict[str, bytes]:
    plan = plan_markdown(audit.plan, audit.senders, renderer, audit.migrations)
    return {
        "plan.md": (plan + risks_markdown(audit, renderer) + waves_markdown(audit, renderer)).encode(),
        "plan.csv": plan_csv(audit, renderer),
        "risks.csv": risks_csv(audit, renderer),
        "plan.ics": plan_ics(audit, renderer),
        **scripts(audit.plan, renderer.text),
    }


def _write_files(out: Path, files: Mapping[str, bytes]) -> list[Path]:
    out.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (out / name).write_bytes(content)
    return [out / name for name in files]


def relay() -> RelayUseCases:
    """Give what the relay's commands ask for; a ConfigError names the extra that is not installed."""
    try:
        from portero.relay import use_cases
    except ImportError as error:
        raise ConfigError(
            (
                Text(
                    "The relay needs the package {package}. Install portero with it: pip install 'portero[relay]'.",
                    package=error.name or "portero[relay]",
                ),
            )
        ) from None
    return use_cases


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
    with _gathered(evidence, config, progress) as (held, tables):
        known = app.known(held, tables, own, wanted, progress)
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
    with _gathered(evidence, config, progress, mails=paths, letters=letters) as (held, tables):
        wanted = (
            [key for letter in letters for task in _tasks(letter) for key in keys(task.octets or b"")]
            if any(each.rows for each in held.coverage)
            else []
        )
        known = app.known(held, tables, own, wanted, progress)
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


def _is_letter(document: Document) -> bool:
    """Tell whether a document is mail; of compound files only a message is."""
    from portero.opening.mailboxes import may_hold_mail
    from portero.opening.outlook import SIGNATURE, is_msg

    head = document.head.raw
    if not head.startswith(SIGNATURE):
        return may_hold_mail(head)
    with document.open() as stream:
        return is_msg(stream.read(_LETTER))


# More than any mailbox takes: Exchange Online ends at 150 MB.
_LETTER = 160 << 20


def judge_handed(
    case: app.Case, senders: Sequence[Sender], name: str, octets: bytes
) -> list[Verdict | Unread]:
    """Judge the mails of a file that somebody handed over, the first of them, by what a case knows."""
    with _messages_extra():
        from portero.opening.judge import Judge, judge_all
    tasks = islice(_letters(name, BytesIO(octets), LIMITS), _MOST_HANDED)
    return list(judge_all(tasks, Judge(app.known_of(case, senders), model_of(None)), 1))


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
        letters = [each for each in walk((), mails=paths) if isinstance(each, Document) and _is_letter(each)]
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


def demo(out: Path, progress: Progress) -> None:
    """Write the evidence of a sample organisation."""
    progress(Text("Writing three months of mail of a sample organisation…"))
    write_sample(out)


def gather(paths: Sequence[Path], progress: Progress) -> app.Case:
    """Read evidence and find the senders, for whoever asks later questions of them."""
    with _gathered(paths, None, progress) as (evidence, tables):
        return app.Case(evidence, app.inventory(evidence, tables, progress))


def gather_with_mails(paths: Sequence[Path], progress: Progress) -> tuple[app.Case, bytes]:
    """Read evidence as `gather` does, and give its mails one by one too, as a Parquet file's octets."""
    with _gathered(paths, None, progress) as (evidence, tables):
        case = app.Case(evidence, app.inventory(evidence, tables, progress))
        # Without a store the tables are the engine's own.
        assert isinstance(tables, _Tables)  # noqa: S101 - see above
        return case, keep_mails(tables.held, tables.names)


def serve(options: ServeOptions, evidence: Sequence[Path], progress: Progress) -> None:
    """Serve the dashboard until told to stop."""
    try:
        from portero.dashboard import fetch, serve_dashboard
        from portero.faces.web.oidc import SignIn
        from portero.faces.web.serving import Serving
    except ModuleNotFoundError as error:
        raise ConfigError(
            (
                Text(
                    "The dashboard needs the extra web: pip install “portero[web]”. Missing: {name}.",
                    name=error.name,
                ),
            )
        ) from None
    settings_file = find_config(evidence)
    serving_file = load_serve_file(options.config)
    serve_dashboard(
        Serving(
            host=options.host,
            port=options.port,
            names=options.names,
            certificate=options.certificate,
            key=options.key,
            proxies=options.proxies,
            data=options.data,
            sign_in=SignIn(serving_file.providers, fetch),
            relays=tuple(_relay_door(each) for each in serving_file.relays),
        ),
        options.database,
        evidence,
        progress,
        load_config(settings_file).name if settings_file else None,
        gather=gather_with_mails,
        export=files,
        judge=judge_handed,
    )


def _relay_door(place: RelayPlace) -> RelayDoor:
    """Give what the dashboard asks of a relay; a ConfigError says what is wrong with its file."""
    from portero.faces.web.ports import RelayDoor  # an extra

    cases = relay()
    # Said at the start, to whoever starts the server, and not to who opens the page.
    cases.devices(place.config)
    return RelayDoor(
        place.organisation,
        lambda states, most, render: cases.queue(place.config, states, most, render),
        lambda: cases.devices(place.config),
        lambda what, ids, render: cases.change(place.config, what, ids, everything=False, render=render),
    )
