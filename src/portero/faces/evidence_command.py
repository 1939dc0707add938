"""`portero evidence`: what a store keeps, and taking documents out of it."""
# No postponed annotations: Typer reads them, and the help in them is made when the language is known.

from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperCommand

from portero.core.text import Text, count
from portero.faces.audit_json import iso
from portero.faces.desk import Desk, KeptDocument
from portero.faces.options import Options
from portero.faces.render import plain


def add_evidence(face: typer.Typer, desk: Desk, options: Options, cls: type[TyperCommand]) -> None:
    """Add `portero evidence list` and `portero evidence drop`."""
    say = desk.renderer.text
    store_option = typer.Option(
        "--store", metavar="FOLDER", help=say(Text("The folder that audits keep their evidence in."))
    )
    names = typer.Argument(
        metavar="DOCUMENT...", help=say(Text("Documents by the id or the name that the list shows."))
    )

    @face.command("list", cls=cls, help=say(Text("List the documents that a store keeps.")))
    def list_(
        store: Annotated[Path, store_option],
        json: Annotated[bool, options.json] = False,
    ) -> None:
        _show(desk, tuple(document for _, document in desk.use_cases.kept(store)), json=json)

    @face.command(
        cls=cls, help=say(Text("Drop documents and their rows from a store; the files they came from stay."))
    )
    def drop(
        document: Annotated[list[str], names],
        store: Annotated[Path, store_option],
        json: Annotated[bool, options.json] = False,
    ) -> None:
        gone = desk.use_cases.forget(store, document)
        _show(desk, gone, json=json)
        desk.aside(count("{n} document was dropped.", "{n} documents were dropped.", len(gone)))


def _show(desk: Desk, documents: tuple[KeptDocument, ...], *, json: bool) -> None:
    if json:
        desk.print_json([_document(each) for each in documents])
        return
    if not documents:
        desk.aside(Text("The store keeps no documents."))
    for each in documents:
        span = " – ".join(desk.renderer.date(moment) for moment in (each.first, each.last) if moment) or "–"
        rows = desk.renderer.number(each.rows)
        typer.echo(f"{each.id}  {plain(each.name)}  {plain(each.kind)}  {rows}  {span}")


def _document(each: KeptDocument) -> dict[str, object]:
    return {
        "id": each.id,
        "name": each.name,
        "kind": each.kind,
        "rows": each.rows,
        "from": iso(each.first),
        "to": iso(each.last),
        "read_at": iso(each.read_at),
    }
