"""Version 1 of the API: everything that the pages do, under one prefix, with ETags and problem details."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Path, Query, Request, Response
from pydantic import TypeAdapter
from starlette.responses import StreamingResponse

from portero.core.access import Action
from portero.core.controls import UnknownControlError, parse_control
from portero.core.decision import Act, Decision
from portero.core.finding import Profile
from portero.core.ledger import Job, JobState, StepMark, StepState, UnknownEntryError
from portero.core.reopening import basis_of
from portero.core.text import Text
from portero.errors import ConfigError
from portero.faces.audit_json import (
    audit_document,
    sender_document,
    simulation_document,
    step_document,
)
from portero.faces.web import evidence_files, reading
from portero.faces.web.api import asked
from portero.faces.web.api import documents as out
from portero.faces.web.api.frame import (
    PROBLEMS,
    Administrator,
    Decider,
    ETag,
    Id,
    IfMatch,
    Reader,
    Uploader,
    entered_by,
    must_match,
    tagged,
)
from portero.faces.web.cases import View
from portero.faces.web.pages import verification
from portero.faces.web.pages.frame import Entered
from portero.faces.web.pages.plan import handed_out
from portero.faces.web.rows import Asked, table
from portero.faces.web.steps import key_of, moved
from portero.faces.web.visitor import now, visitor

ROUTER = APIRouter(prefix="/api/v1", responses=PROBLEMS)
_EVENT_SECONDS = 0.4


@ROUTER.get("/organisations", response_model=list[out.Organisation])
def organisations(request: Request, if_none_match: ETag = None) -> Response:
    """List the organisations the caller may see."""
    who = visitor(request)
    held = [{"id": each.id, "name": each.name, "role": who.role_in(each.id)} for each in who.organisations]
    return tagged(list[out.Organisation], held, if_none_match)


@ROUTER.get("/organisations/{organisation}/senders", response_model=out.Senders)
def senders(
    entered: Reader,
    q: Annotated[str, Query(max_length=200)] = "",
    judgement: Annotated[tuple[str, ...], Query()] = (),
    path: Annotated[tuple[str, ...], Query()] = (),
    kind: Annotated[tuple[str, ...], Query()] = (),
    effect: Annotated[tuple[str, ...], Query()] = (),
    decided_by: Annotated[tuple[str, ...], Query()] = (),
    standing: Annotated[tuple[str, ...], Query()] = (),
    sort: out.SortName = "messages",
    order: Annotated[str, Query(pattern="^(up|down)$")] = "down",
    page: Annotated[int, Query(ge=1, le=10**6)] = 1,
    if_none_match: ETag = None,
) -> Response:
    """Search, filter and sort the senders; fifty to a page."""
    view = entered.view()
    facets = {
        "judgement": judgement, "path": path, "kind": kind, "effect": effect, "decided_by": decided_by,
        "standing": standing,
    }  # fmt: skip
    found = table(view, entered.who.renderer, Asked(q, facets, sort, order == "down", "", page))
    items = [
        sender_document(row.sender, entered.who.renderer)
        | {
            "refused": row.effect.refused if row.effect else None,
            "revision": view.revisions.get(row.sender.id, 0),
        }
        for row in found.rows
    ]
    held = {
        "items": items,
        "matching": found.matching,
        "page": found.page,
        "pages": found.pages,
        "counts": found.counts,
    }
    return tagged(out.Senders, held, if_none_match)


@ROUTER.get("/organisations/{organisation}/senders/{sender}", response_model=out.Sender)
def sender(entered: Reader, sender: Id, if_none_match: ETag = None) -> Response:
    """Give one sender."""
    return tagged(out.Sender, _sender(entered, entered.view(), sender), if_none_match)


def _sender(entered: Entered, view: View, sender: str) -> dict[str, object]:
    if sender not in view.senders:
        raise UnknownEntryError
    held = sender_document(view.senders[sender], entered.who.renderer)
    return held | {"revision": view.revisions.get(sender, 0)}


@ROUTER.post("/organisations/{organisation}/decisions", response_model=out.Decided)
def decide(entered: Decider, wanted: asked.Decide) -> dict[str, object]:
    """Record a decision; 409 where somebody decided since the revisions named in `seen`."""
    view = entered.view()
    if any(each not in view.senders for each in wanted.senders):
        raise UnknownEntryError
    entered.desk.state.decide(
        entered.organisation.id,
        {each: entered.say(view.senders[each].label) for each in wanted.senders},
        wanted.judgement,
        entered.name,
        now(),
        owner=wanted.owner,
        note=wanted.note,
        expires_on=wanted.expires_on,
        seen=wanted.seen,
        bases={each: basis_of(view.senders[each]) for each in wanted.senders},
    )
    revisions = entered.desk.state.revisions(entered.organisation.id)
    return {"revisions": {each: revisions[each] for each in wanted.senders}}


@ROUTER.post("/organisations/{organisation}/senders/{sender}/shape", response_model=out.Shaped)
def shape(entered: Decider, sender: Id, wanted: asked.Shape, if_match: IfMatch = None) -> dict[str, object]:
    """
    Name or describe a sender, join others to it, set a part of it apart, or take one of these back.

    Counts as the same act by `portero decide` would. 412 where the sender is no longer as `If-Match` says, 409 where
    somebody decided about it since the revision named in `seen`.
    """
    view = entered.view()
    must_match(out.Sender, _sender(entered, view, sender), if_match)
    made = _act(sender, wanted, entered.name)
    if any(each not in view.senders for each in made.merge):
        raise UnknownEntryError
    label = entered.say(view.senders[sender].label)
    # What If-Match compared must still hold when it is written.
    seen = view.revisions.get(sender, 0) if wanted.seen is None and if_match is not None else wanted.seen
    entered.desk.state.act(entered.organisation.id, label, made, None if seen is None else {sender: seen})
    part = made.part if made.act is Act.SPLIT else None
    return {"revision": entered.desk.state.revisions(entered.organisation.id)[sender], "part": part}


def _act(sender: str, wanted: asked.Shape, who: str) -> Decision:
    """Give the act as the record holds it. Raises ConfigError for one that makes no sense."""
    said = wanted.model_dump(exclude={"seen", "note"}, exclude_none=True, mode="json")
    if sender in said.get("merge", ()):
        raise ConfigError((Text("{sender} cannot be joined with itself.", sender=sender),))
    try:
        return Decision.read({**Decision(sender, None, who, now(), note=wanted.note).document(), **said})
    except ValueError:
        words = tuple(f"{kind}={each}" for kind, held in said.get("split", {}).items() for each in held)
        raise ConfigError((Text("{words} does not say what to set apart.", words=words),)) from None


@ROUTER.post("/organisations/{organisation}/simulations", response_model=out.Simulation)
def simulate(entered: Reader, wanted: asked.Rehearse) -> Response:
    """Replay controls together on recorded mail. Changes nothing, so any reader may."""
    view = entered.view()
    try:
        controls = tuple(parse_control(each) for each in wanted.controls)
    except UnknownControlError as error:
        raise ConfigError((error.text,)) from None
    made = entered.desk.cases.rehearse(view, controls)
    return tagged(out.Simulation, simulation_document(made, entered.who.renderer), None)


@ROUTER.get("/organisations/{organisation}/plan", response_model=out.Plan)
def plan(entered: Reader, if_none_match: ETag = None) -> Response:
    """Give the plan, with what people said of its steps."""
    view = entered.view()
    marks = entered.desk.state.steps(entered.organisation.id)
    steps = [
        _step(step_document(step, entered.who.renderer), marks.get(key_of(step), StepMark(key_of(step))))
        for step in view.audit.plan
    ]
    return tagged(out.Plan, {"settled": view.settled, "steps": steps}, if_none_match)


def _step(document: dict[str, object], mark: StepMark) -> dict[str, object]:
    said = {key: value for key, value in asdict(mark).items() if key not in {"changed_at", "owner"}}
    return document | said | ({"owner": mark.owner} if mark.owner else {})


@ROUTER.put("/organisations/{organisation}/plan/{key}", response_model=out.Step)
def mark(entered: Decider, key: Id, wanted: asked.MarkStep) -> dict[str, object]:
    """Move a step on, or say who owns it; approving needs the right to sign, and other hands than prepared it."""
    if wanted.state is StepState.SIGNED:
        entered.who.at(entered.organisation.id, Action.SIGN)
    step = next((each for each in entered.view().audit.plan if key_of(each) == key), None)
    if step is None:
        raise UnknownEntryError
    held = entered.desk.state.steps(entered.organisation.id).get(key, StepMark(key))
    made = replace(
        held,
        owner=held.owner if wanted.owner is None else wanted.owner,
        note=held.note if wanted.note is None else wanted.note,
        revision=wanted.revision,
    )
    if wanted.verified is not None:
        made = replace(made, verified=verification.said_of(wanted.verified, wanted.seen, entered.name))
    if wanted.state is not None:
        made = moved(made, wanted.state, entered.name)
    title = entered.say(step.title)
    kept = entered.desk.state.mark_step(entered.organisation.id, made, title, entered.name, now())
    return _step(step_document(step, entered.who.renderer), kept)


@ROUTER.post("/organisations/{organisation}/verification", response_model=out.TakenOver)
def verify(
    entered: Decider, wanted: Annotated[list[asked.VerifiedChange], Body(min_length=1, max_length=5000)]
) -> dict[str, object]:
    """Take over what `verify.ps1 -Out` wrote of the plan as it stands."""
    found = [verification.Found(each.Id, each.Title, each.Passed, each.Problem or "") for each in wanted]
    steps, unknown = verification.take(entered, entered.view(), found)
    return {"steps": steps, "unknown": unknown}


@ROUTER.get("/organisations/{organisation}/evidence", response_model=out.Evidence)
def evidence(entered: Reader, if_none_match: ETag = None) -> Response:
    """Say what was read, what could not be, and what nobody could see."""
    document: Any = audit_document(replace(entered.view().audit, senders=(), simulations=()), entered.who.renderer)  # fmt: skip
    held = {
        "documents": [each | {"first": each["from"], "last": each["to"]} for each in document["evidence"]],
        "gaps": document["gaps"],
        "assumptions": document["assumptions"],
        "blind_spots": document["blind_spots"],
    }
    return tagged(out.Evidence, held, if_none_match)


@ROUTER.get("/organisations/{organisation}/runs", response_model=list[out.Run])
def runs(entered: Reader, if_none_match: ETag = None) -> Response:
    """List the runs, newest first."""
    return tagged(list[out.Run], entered.desk.state.runs(entered.organisation.id), if_none_match)


@ROUTER.post("/organisations/{organisation}/runs", response_model=out.Job, status_code=202)
def start_run(entered: Uploader, wanted: asked.StartRun) -> dict[str, object]:
    """Have a batch read; answers with the job. All files of the batch must be whole."""
    may_decide = entered.who.may(entered.organisation.id, Action.DECIDE)
    job = reading.start(
        entered.desk, entered.organisation.id, wanted.batch, entered.name, may_decide=may_decide
    )
    return _job(job, entered)


@ROUTER.post("/organisations/{organisation}/uploads", response_model=out.Upload, status_code=201)
def announce(entered: Uploader, wanted: asked.AnnounceUpload) -> object:
    """Announce a file; without `batch` it begins a new one."""
    organisation = entered.organisation.id
    batch = wanted.batch or evidence_files.new_batch()
    if len(entered.desk.state.uploads(organisation, batch)) >= evidence_files.MOST_FILES:
        raise UnknownEntryError
    evidence_files.expire(entered.desk.state, entered.desk.evidence, now())
    return evidence_files.announce(
        entered.desk.state, organisation, batch, wanted.name, wanted.size, entered.name, now()
    )


@ROUTER.get("/organisations/{organisation}/uploads/{upload}", response_model=out.Upload)
def upload(entered: Annotated[Entered, entered_by(Action.UPLOAD)], upload: Id) -> object:
    """Say how much of a file is safe, so that the rest can follow."""
    return entered.desk.state.upload(entered.organisation.id, upload)


@ROUTER.delete("/organisations/{organisation}/uploads/{upload}", status_code=204)
def forget(entered: Uploader, upload: Id) -> None:
    """Forget a file that was announced, and what arrived of it; a run that has read it stays."""
    held = entered.desk.state.upload(entered.organisation.id, upload)
    gone = {"size": held.size, "received": held.received}
    entered.desk.state.note(entered.organisation.id, entered.name, now(), "upload.remove", held.name, gone)
    evidence_files.forget(entered.desk.state, entered.desk.evidence, held)


@ROUTER.patch(
    "/organisations/{organisation}/uploads/{upload}",
    response_model=out.Upload,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def append(
    request: Request,
    entered: Uploader,
    upload: Id,
    upload_offset: Annotated[int, Header(ge=0, le=20 << 30)],
) -> object:
    """Add a piece of at most 8 MiB where the last one ended; 409 for another offset."""
    piece = await request.body()
    held = entered.desk.state.upload(entered.organisation.id, upload)
    return await asyncio.to_thread(
        evidence_files.append, entered.desk.state, entered.desk.evidence, held, upload_offset, piece
    )


@ROUTER.get("/organisations/{organisation}/jobs", response_model=list[out.Job])
def jobs(entered: Reader) -> list[dict[str, object]]:
    """List the newest jobs."""
    return [_job(each, entered) for each in entered.desk.state.jobs(entered.organisation.id)]


@ROUTER.get("/organisations/{organisation}/jobs/{job}", response_model=out.Job)
def job(entered: Reader, job: Id) -> dict[str, object]:
    """Say how far a job is."""
    return _job(entered.desk.state.job(entered.organisation.id, job), entered)


@ROUTER.delete("/organisations/{organisation}/jobs/{job}", response_model=out.Job, status_code=202)
def cancel(entered: Uploader, job: Id) -> dict[str, object]:
    """Call a job off; it ends soon after."""
    held = entered.desk.state.job(entered.organisation.id, job)
    entered.desk.jobs.cancel(held)
    return _job(held, entered)


@ROUTER.get(
    "/organisations/{organisation}/jobs/{job}/events",
    response_class=StreamingResponse,
    responses={200: {"description": "One event for each change, the last when it ends.", "content": {"text/event-stream": {}}}},
)  # fmt: skip
async def events(entered: Reader, job: Id) -> StreamingResponse:
    """Follow a job: server-sent events, each with the job as its data."""
    entered.desk.state.job(entered.organisation.id, job)

    async def stream() -> AsyncIterator[str]:
        last: object = None
        while True:
            held = await asyncio.to_thread(entered.desk.state.job, entered.organisation.id, job)
            shown = TypeAdapter(out.Job).dump_json(out.Job.model_validate(_job(held, entered))).decode()
            if shown != last:
                yield f"event: job\ndata: {shown}\n\n"
                last = shown
            if held.state not in {JobState.WAITING, JobState.RUNNING}:
                return
            await asyncio.sleep(_EVENT_SECONDS)

    return StreamingResponse(stream(), media_type="text/event-stream")


def _job(job: Job, entered: Entered) -> dict[str, object]:
    return {
        "id": job.id, "kind": job.kind, "state": job.state, "result": job.result, "created_at": job.created_at,
        "said": job.said.get(entered.who.renderer.lang, ""),
    }  # fmt: skip


@ROUTER.get("/organisations/{organisation}/scenarios", response_model=list[out.Scenario])
def scenarios(entered: Reader, if_none_match: ETag = None) -> Response:
    """List the saved scenarios."""
    return tagged(list[out.Scenario], entered.desk.state.scenarios(entered.organisation.id), if_none_match)


@ROUTER.post("/organisations/{organisation}/scenarios", response_model=out.Scenario, status_code=201)
def save_scenario(entered: Decider, wanted: asked.SaveScenario) -> object:
    """Keep controls under a name."""
    try:
        for each in wanted.controls:
            parse_control(each)
    except UnknownControlError as error:
        raise ConfigError((error.text,)) from None
    return entered.desk.state.add_scenario(
        entered.organisation.id, wanted.name, wanted.controls, entered.name, now()
    )


@ROUTER.delete("/organisations/{organisation}/scenarios/{scenario}", status_code=204)
def remove_scenario(entered: Decider, scenario: Id) -> None:
    """Forget a scenario."""
    entered.desk.state.remove_scenario(entered.organisation.id, scenario, entered.name, now())


@ROUTER.get("/organisations/{organisation}/trail", response_model=out.Trail)
def trail(entered: Administrator, before: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None) -> dict[str, object]:  # fmt: skip
    """Give the audit trail, newest first, a hundred at a time."""
    entries = entered.desk.state.trail(entered.organisation.id, before, 100)
    return {"items": entries, "next": entries[-1].n if len(entries) == 100 else None}


@ROUTER.get(
    "/organisations/{organisation}/files/{name}",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}}},
)
def file(
    entered: Reader, name: Annotated[str, Path(max_length=80)], profile: Profile = Profile.STANDARD
) -> Response:
    """
    Give one of the files that `portero audit` writes, or the decisions in force as `portero.decisions.jsonl`.

    Findings in it are by the thresholds of `profile`.
    """
    return handed_out(entered, name, profile)


@ROUTER.get("/organisations/{organisation}/audit", response_class=Response)
def audit(entered: Reader) -> Response:
    """Give the whole audit as the contract's audit.json."""
    content = json.dumps(audit_document(entered.view().audit, entered.who.renderer)).encode()
    return Response(content, media_type="application/json")
