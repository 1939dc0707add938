"""`portero dns`: what any domain publishes about its mail, judged line by line, and what its mail makes of it."""
# No postponed annotations: Typer reads them, and the help in them is made when the language is known.

from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperCommand

from portero.core.address import a_label
from portero.core.exchange.selectors import SELECTORS
from portero.core.mail.spf_names import askable
from portero.core.text import Text
from portero.errors import ConfigError
from portero.faces.audit_json import domain_document
from portero.faces.desk import Desk
from portero.faces.options import Options, may_ask


def add_dns(face: typer.Typer, desk: Desk, options: Options, cls: type[TyperCommand]) -> None:
    """Add `portero dns`."""
    say = desk.renderer.text
    words = typer.Argument(
        metavar="DOMAIN...",
        help=say(Text("Domains to judge; files and folders among them are evidence that holds DNS answers.")),
    )
    selector = typer.Option(
        "--selector",
        metavar="NAME",
        help=say(Text("A DKIM selector to look at besides Microsoft's two; give it again for several.")),
    )

    flatten = typer.Option(
        "--flatten",
        help=say(
            Text(
                "Let the drafted SPF record write includes out as networks where ten look-ups do not suffice; they "
                "change without notice."
            )
        ),
    )

    @face.command(cls=cls)
    def dns(
        domain: Annotated[list[str], words],
        selector: Annotated[list[str] | None, selector] = None,
        flatten: Annotated[bool, flatten] = False,
        config: Annotated[Path | None, options.config] = None,
        resolve: Annotated[bool, options.resolve] = False,
        resolver: Annotated[list[str] | None, options.resolver] = None,
        record: Annotated[Path | None, options.record] = None,
        json: Annotated[bool, options.json] = False,
    ) -> None:
        names, evidence = _sorted(domain)
        asking = may_ask(resolve, resolver, record)
        if not evidence and asking is None:
            desk.aside(Text("Nothing is known without evidence: add --resolve to ask live DNS."), "yellow")
        held = desk.use_cases.domains(
            names,
            evidence,
            selectors=(*SELECTORS, *(selector or ())),
            flatten=flatten,
            config=config,
            progress=desk.progress,
            asking=asking,
        )
        if json:
            desk.print_json([domain_document(each, desk.renderer) for each in held])
        else:
            for each in held:
                desk.terminal().domain(each)


def _sorted(words: list[str]) -> tuple[tuple[str, ...], tuple[Path, ...]]:
    """Tell domains from evidence: what is there as a file or folder, or looks like a path, is evidence."""
    names: list[str] = []
    paths: list[Path] = []
    for word in words:
        if Path(word).exists() or "/" in word or "\\" in word:
            paths.append(Path(word))
            continue
        name = a_label(word)
        if not askable(name) or "." not in name or "@" in name:
            raise ConfigError((Text("{word} is neither a domain nor a file or folder.", word=word),))
        names.append(name)
    if not names:
        raise ConfigError((Text("Name at least one domain."),))
    return tuple(dict.fromkeys(names)), tuple(paths)
