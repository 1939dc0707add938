"""Evidence is gathered: documents found, recognised and read, with what the configuration says of them."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from portero.app.evidence import Evidence, Tables
from portero.app.inventory import supposed_domains
from portero.core.controls import Control, apply_controls
from portero.core.decision import Decision
from portero.core.dns import Dns, DnsAnswer, DnsZone
from portero.core.evidence import ConfigAnswer, ConfigObject, Coverage, Gap, Origin
from portero.core.exchange.settings import Settings, Tenant, read_settings
from portero.core.hosts import Inside
from portero.core.limits import LimitError, Limits
from portero.core.message.arrival import TracedMail
from portero.core.network_names import NetworkMap
from portero.core.register import Configuration
from portero.core.text import Text
from portero.decision_log import find_logs, read_log
from portero.engine.evidence_tables import EvidenceTables, evidence_tables
from portero.engine.fold import Folded, fold
from portero.engine.hosts import fold_hosts
from portero.errors import ConfigError, InputError
from portero.faces.desk import Asking, Progress
from portero.known import maker_of
from portero.known import services as known_services
from portero.sources import sources
from portero.sources.document import Batch, Counted, Document, Item, Note, Source
from portero.sources.object_store import is_stored
from portero.sources.walk import name_below, walk
from portero.toml_file import find_config

if TYPE_CHECKING:
    from portero.keeping import Keeping
    from portero.wiring.asking import About


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
class HeldTables:
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


# Evidence becomes millions of values without circles, in which the collector searches in vain for a third of the time.
COLLECT_EVERY = (200_000, 50, 100)


@contextmanager
def without_collector() -> Iterator[None]:
    """Judge without the collector of circles: a twentieth of the time even at that pace, and judging makes none."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


@contextmanager
def gathered(
    paths: Sequence[Path],
    config: Path | None,
    progress: Progress,
    asking: Asking | None = None,
    controls: Sequence[Control] = (),
    about: About | None = None,
    mails: Sequence[Path] = (),
    letters: list[Document] | None = None,
    store: Path | None = None,
) -> Iterator[tuple[Evidence, Tables]]:
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
    configuration = _configuration(settings_file)
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
            if found.whole and letters is not None and is_letter(found):
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
        held_tables: Tables = HeldTables(tables, reader.names)
        if keeping is not None:
            keeping.settle(configuration.keep_days)
            held_tables = keeping
        tenant = Tenant(reader.objects, reader.answers)
        reader.gaps += _several(tenant)
        if asking is not None:
            # Loaded where the network may be asked, and nowhere else.
            from portero.wiring.asking import About, ask

            held = read_settings(tenant, configuration.accepted_domains).accepted_domains
            own_domains = tuple(domain.name for domain in held) or supposed_domains(held_tables)[0]
            proposed = apply_controls(Settings(), tuple(controls)).spf_records
            meant = about or About(own_domains, proposed=proposed)
            reader.dns += ask(reader.dns, reader.zones, asking, meant, progress)
        evidence = Evidence(
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


def _configuration(file: Path | None) -> Configuration:
    if file is None:
        return Configuration()
    # Loaded where there is a configuration to read.
    from portero.config import load_config

    return load_config(file)


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
    # Loaded where evidence is kept, and nowhere else.
    from portero.keeping import Keeping
    from portero.store.lake import Lake, alone, folder_of

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


def configuration_of(paths: Sequence[Path], progress: Progress) -> Tenant:
    """Read the tenant's configuration alone."""
    with gathered(paths, None, progress) as (evidence, _):
        return evidence.tenant


def decisions_of(paths: Sequence[Path], config: Path | None) -> tuple[Decision, ...]:
    """Read what people decided, before the evidence: whoever wrote a wrong line need not wait to be told."""
    logs = find_logs(paths, config or find_config(paths))
    return tuple(sorted((each for path in logs for each in read_log(path)), key=lambda each: each.decided_at))


def is_letter(document: Document) -> bool:
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
