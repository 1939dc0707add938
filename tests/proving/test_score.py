"""The scorer finds planted errors: it starts from an audit that is right and sees each mutation, and only that."""

import copy
import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from portero.proving.__main__ import main
from portero.proving.axes import Axes
from portero.proving.generate import generate
from portero.proving.ledger import ledger
from portero.proving.score import assign, score

AXES = Axes(
    people=60,
    days=20,
    scan_to_self=False,
    traces="extended",
    newsletter=False,
    campaigns=("burst",),
    payroll=False,
)


@pytest.fixture(scope="module")
def truth() -> dict[str, Any]:
    return json.loads(json.dumps(ledger(generate(11, AXES))))  # type: ignore[no-any-return]


def right(truth: dict[str, Any]) -> dict[str, Any]:
    """An audit that says exactly the truth."""
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for mail in truth["mails"]:
        groups[mail["sender"]].append(mail)
    judged = {sender["id"]: sender for sender in truth["senders"]}
    senders = [
        {
            "id": f"s-{name}",
            "judgement": judged[name]["judgement"],
            "confidence": 0.9,
            "path": mails[0]["path"] or "undetermined",
            "client_networks": sorted({mail["client_ip"] for mail in mails if mail["client_ip"]}),
            "mail_from_domains": sorted({mail["mail_from_domain"] for mail in mails}),
            "header_from_domains": sorted({mail["header_from"].rpartition("@")[2] for mail in mails}),
            "header_from": sorted({mail["header_from"] for mail in mails}),
            "ehlo": sorted({mail["ehlo"] for mail in mails if mail["ehlo"]}),
            "messages": len(mails),
        }
        for name, mails in groups.items()
    ]
    return {
        "senders": senders,
        "simulations": [simulation(truth, groups, name) for name in truth["controls"]],
    }


def simulation(
    truth: dict[str, Any], groups: dict[str, list[dict[str, Any]]], control: str
) -> dict[str, Any]:
    entries = []
    for name, mails in groups.items():
        fates = Counter(mail["fates"][control] for mail in mails)
        counts = {
            "refused": fates["refused"],
            "kept": fates["kept"],
            "undetermined": fates["unknowable"],
        }
        [*effects] = [word for word, number in counts.items() if number]
        entries.append(
            {"sender": f"s-{name}", "effect": effects[0] if len(effects) == 1 else "mixed", **counts}
        )
    return {"controls": [control], "senders": entries}


def of(result: dict[str, Any], control: str) -> dict[str, Any]:
    return next(entry for entry in result["simulations"] if entry["control"] == control)


def named(audit: dict[str, Any], name: str) -> dict[str, Any]:
    return next(sender for sender in audit["senders"] if sender["id"] == f"s-{name}")


def effect(audit: dict[str, Any], control: str, name: str) -> dict[str, Any]:
    entries = next(s["senders"] for s in audit["simulations"] if s["controls"] == [control])
    return next(entry for entry in entries if entry["sender"] == f"s-{name}")  # type: ignore[no-any-return]


def mails_of(truth: dict[str, Any], name: str) -> int:
    return sum(mail["sender"] == name for mail in truth["mails"])


def test_a_right_audit_has_no_fault(truth: dict[str, Any]) -> None:
    result = score(right(truth), truth)
    assert result["judgement"]["accuracy"] == 1.0
    assert result["paths"]["accuracy"] == 1.0
    assert result["counting"] == {
        "mails": len(truth["mails"]), "said": len(truth["mails"]), "excess": 0, "lacking": 0, "unassigned": 0,
        "by_sender": [],
    }  # fmt: skip
    for entry in result["simulations"]:
        assert (
            entry["said_kept_but_refused"] == entry["said_refused_but_kept"] == entry["needless_share"] == 0
        )


def test_an_accused_printer_is_named_with_the_confidence_of_the_accusation(truth: dict[str, Any]) -> None:
    audit = right(truth)
    named(audit, "mfp-1").update(judgement="abuse", confidence=0.97)
    [case] = score(audit, truth)["judgement"]["false_accusations"]
    assert case == {
        "sender": "mfp-1",
        "reported": "s-mfp-1",
        "mails": mails_of(truth, "mfp-1"),
        "confidence": 0.97,
    }


def test_an_excused_campaign_is_found(truth: dict[str, Any]) -> None:
    audit = right(truth)
    named(audit, "attack-burst")["judgement"] = "legitimate"
    result = score(audit, truth)["judgement"]
    assert [case["sender"] for case in result["abuse_called_legitimate"]] == ["attack-burst"]
    assert result["false_accusations"] == []
    assert result["accuracy"] < 1


def test_undecided_costs_accuracy_but_accuses_nobody(truth: dict[str, Any]) -> None:
    audit = right(truth)
    named(audit, "erp")["judgement"] = "undecided"
    result = score(audit, truth)["judgement"]
    assert result["decided_accuracy"] == 1.0 > result["accuracy"]
    assert [case["sender"] for case in result["undecided"]] == ["erp"]
    assert result["false_accusations"] == []


@pytest.mark.parametrize(
    ("name", "said", "error"),
    [("mfp-1", "kept", "said_kept_but_refused"), ("mailboxes", "refused", "said_refused_but_kept")],
)
def test_a_wrong_forecast_is_counted_by_its_direction(
    truth: dict[str, Any], name: str, said: str, error: str
) -> None:
    audit, mails = right(truth), mails_of(truth, name)
    wrong = {"refused": 0, "kept": 0, "undetermined": 0, said: mails}
    effect(audit, "reject-direct-send", name).update(effect=said, **wrong)
    result = of(score(audit, truth), "reject-direct-send")
    assert result[error] == mails
    other = {"said_kept_but_refused", "said_refused_but_kept"} - {error}
    assert all(result[key] == 0 for key in other)
    assert [case["reported"] for case in result["wrong"]] == [f"s-{name}"]


def test_needless_caution_is_told_apart_from_due_caution(truth: dict[str, Any]) -> None:
    audit, mails = right(truth), mails_of(truth, "erp")
    for control in ("reject-direct-send", "smtp-basic-off"):
        effect(audit, control, "erp").update(effect="undetermined", refused=0, kept=0, undetermined=mails)
    for control in ("smtp-basic-off",):
        effect(audit, control, "mailboxes").update(effect="undetermined", refused=0, kept=0, undetermined=9)
    result = score(audit, truth)
    assert of(result, "reject-direct-send")["undetermined_needlessly"] == mails
    basic = of(result, "smtp-basic-off")
    assert basic["undetermined"] == mails + mails_of(truth, "mailboxes")
    assert basic["undetermined_needlessly"] == mails


def test_a_mixed_effect_is_read_in_its_favour(truth: dict[str, Any]) -> None:
    audit, mails = right(truth), mails_of(truth, "erp")
    effect(audit, "reject-direct-send", "erp").update(
        effect="mixed", refused=mails - 2, kept=2, undetermined=0
    )
    assert of(score(audit, truth), "reject-direct-send")["said_kept_but_refused"] == 2


def test_a_mail_counted_by_two_witnesses_shows_as_excess(truth: dict[str, Any]) -> None:
    audit, mails = right(truth), mails_of(truth, "mfp-2")
    named(audit, "mfp-2")["messages"] *= 2
    counting = score(audit, truth)["counting"]
    assert counting["excess"] == mails
    assert counting["by_sender"] == [{"reported": "s-mfp-2", "said": 2 * mails, "found": mails}]


def test_a_sender_left_out_is_missing_not_forgiven(truth: dict[str, Any]) -> None:
    audit, mails = right(truth), mails_of(truth, "attack-burst")
    audit["senders"].remove(named(audit, "attack-burst"))
    result = score(audit, truth)
    assert result["counting"]["unassigned"] == mails
    assert result["judgement"]["by_truth_and_judgement"]["abuse judged missing"] == mails
    assert of(result, "reject-direct-send")["missing"] == mails


def test_a_wrong_path_is_found(truth: dict[str, Any]) -> None:
    audit = right(truth)
    named(audit, "erp")["path"] = "connector"
    result = score(audit, truth)["paths"]
    assert result["by_truth_and_path"]["direct-send said connector"] == mails_of(truth, "erp")
    assert result["accuracy"] < 1


def test_overconfidence_costs_more_than_doubt(truth: dict[str, Any]) -> None:
    sure, unsure = right(truth), right(truth)
    named(sure, "attack-burst").update(judgement="legitimate", confidence=0.99)
    named(unsure, "attack-burst").update(judgement="legitimate", confidence=0.6)
    briers = [score(audit, truth)["calibration"]["brier"] for audit in (right(truth), unsure, sure)]
    assert briers == sorted(briers)
    assert briers[0] < briers[1] < briers[2]
    filled = score(sure, truth)["calibration"]["bins"]
    assert sum(held["mails"] for held in filled) == len(truth["mails"])


def test_scoring_changes_neither_audit_nor_truth(truth: dict[str, Any]) -> None:
    audit = right(truth)
    before = copy.deepcopy((audit, truth))
    score(audit, truth)
    assert (audit, truth) == before


def test_the_command_line_writes_and_scores(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seed", "7", "--out", str(tmp_path)]) == 0
    written = json.loads((tmp_path / "truth.json").read_text("utf-8"))
    assert written["schema"] == "portero.proving/1"
    assert list((tmp_path / "evidence").rglob("*.csv"))
    (tmp_path / "audit.json").write_text(json.dumps(right(written)), encoding="utf-8")
    assert main(["score", str(tmp_path / "audit.json"), str(tmp_path / "truth.json")]) == 0
    assert json.loads(capsys.readouterr().out)["judgement"]["accuracy"] > 0.9


def test_an_internationalised_domain_may_be_written_either_way(truth: dict[str, Any]) -> None:
    truth = copy.deepcopy(truth)
    audit = right(truth)
    domain = "münchen.example"
    for sender in audit["senders"]:
        sender["header_from"] = [f"{text.partition('@')[0]}@{domain}" for text in sender["header_from"]]
        sender["header_from_domains"] = [domain]
    for mail in truth["mails"]:
        mail["header_from"] = f"{mail['header_from'].partition('@')[0]}@xn--mnchen-3ya.example"
    assert score(audit, truth)["judgement"]["accuracy"] == 1.0


def test_the_plan_s_own_simulation_is_not_taken_for_a_control_alone(truth: dict[str, Any]) -> None:
    audit = right(truth)
    together = copy.deepcopy(audit["simulations"][0])
    for entry in together["senders"]:
        entry.update(effect="kept", refused=0, undetermined=0)
    audit["simulations"].append(together)
    assert score(audit, truth)["simulations"] == score(right(truth), truth)["simulations"]


def test_a_reader_who_took_p1_for_p2_is_still_recognised(truth: dict[str, Any]) -> None:
    truth = copy.deepcopy(truth)
    for mail in truth["mails"]:
        if mail["sender"] == "erp":
            mail["mail_from_domain"] = "shop.example"
    audit = right(truth)
    named(audit, "erp").update(header_from=["orders@shop.example"], header_from_domains=["shop.example"])
    assert score(audit, truth)["counting"]["unassigned"] == 0


def test_an_error_that_the_documents_leave_open_is_not_one_that_they_settle(truth: dict[str, Any]) -> None:
    control = truth["controls"][0]
    held = copy.deepcopy(truth)
    name = next(
        m["sender"] for m in held["mails"] if m["fates"][control] == "refused" and control in m["sufficient"]
    )
    audit = right(held)
    effect(audit, control, name).update(effect="kept", refused=0, kept=mails_of(held, name), undetermined=0)
    wrong = of(score(audit, held), control)
    assert wrong["said_kept_but_refused_settled"] == wrong["said_kept_but_refused"] > 0
    for mail in held["mails"]:
        mail["sufficient"] = []
    left_open = of(score(audit, held), control)
    assert left_open["said_kept_but_refused"] == wrong["said_kept_but_refused"]
    assert left_open["said_kept_but_refused_settled"] == 0


def test_a_mail_goes_to_the_one_of_two_alike_that_was_seen_at_its_time(truth: dict[str, Any]) -> None:
    audit = right(truth)
    mails = sorted(mail["at"] for mail in truth["mails"] if mail["sender"] == "mfp-1")
    whole = named(audit, "mfp-1")
    later = {
        **whole,
        "id": "s-later",
        "first_seen": "2027-06-01T00:00:00+00:00",
        "last_seen": "2027-06-02T00:00:00+00:00",
    }
    whole.update(first_seen=mails[0], last_seen=mails[-1])
    audit["senders"] = [later, *audit["senders"]]
    assigned = assign(audit["senders"], truth["mails"])
    assert "s-later" not in assigned.values()


def test_through_a_connector_and_past_it_are_told_apart_where_a_trace_names_it(truth: dict[str, Any]) -> None:
    mail = {**truth["mails"][0], "client_ip": None, "path": "connector", "witnesses": ["extended"]}
    past = {**right(truth)["senders"][0], "id": "past", "path": "direct-send", "messages": 9}
    past.update(
        header_from=[mail["header_from"]],
        client_networks=[],
        header_from_domains=[],
        mail_from_domains=[],
        ehlo=[],
    )
    through = {**past, "id": "through", "path": "connector", "messages": 1}
    assert assign([past, through], [mail]) == {mail["id"]: "through"}
    assert assign([past, through], [{**mail, "witnesses": ["v2"]}]) == {mail["id"]: "past"}


def test_mail_is_given_to_none_that_states_other_envelopes_however_well_the_rest_fits(
    truth: dict[str, Any],
) -> None:
    mail = {**truth["mails"][0], "client_ip": "192.0.2.9", "path": "direct-send", "session_shown": True}
    mine = {**right(truth)["senders"][0], "id": "mine", "path": "undetermined", "messages": 1, "ehlo": []}
    mine.update(
        header_from=[mail["header_from"]],
        header_from_domains=[mail["header_from"].rpartition("@")[2]],
        client_networks=["192.0.2.9/32"],
        mail_from_domains=[mail["mail_from_domain"]],
    )
    srs = {**mine, "id": "srs", "path": "foreign-envelope", "client_networks": ["192.0.2.0/24"]}
    srs.update(mail_from_domains=["forwarder.example"], messages=9)

    assert assign([srs, mine], [mail]) == {mail["id"]: "mine"}
    assert assign([srs], [mail]) == {mail["id"]: None}
