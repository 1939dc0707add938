"""The dashboard with everything it asks for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from portero.app.evidence import Case
from portero.app.inventory import inventory
from portero.config import load_config
from portero.core.text import Text
from portero.engine.mails import keep_mails
from portero.errors import ConfigError
from portero.faces.desk import Progress, ServeOptions
from portero.serve_file import RelayPlace, load_serve_file
from portero.toml_file import find_config
from portero.wiring.gathering import HeldTables, gathered, without_collector
from portero.wiring.letters import judge_handed
from portero.wiring.relaying import relay
from portero.wiring.results import files

if TYPE_CHECKING:
    from portero.faces.web.ports import RelayDoor


def gather(paths: Sequence[Path], progress: Progress) -> Case:
    """Read evidence and find the senders, for whoever asks later questions of them."""
    with gathered(paths, None, progress) as (evidence, tables), without_collector():
        return Case(evidence, inventory(evidence, tables, progress))


def gather_with_mails(paths: Sequence[Path], progress: Progress) -> tuple[Case, bytes]:
    """Read evidence as `gather` does, and give its mails one by one too, as a Parquet file's octets."""
    with gathered(paths, None, progress) as (evidence, tables):
        case = Case(evidence, inventory(evidence, tables, progress))
        # Without a store the tables are the engine's own.
        assert isinstance(tables, HeldTables)  # noqa: S101 - see above
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
