"""The mail itself asks for a password or has a form that sends what one types to somebody else."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match forms in the body."""
    traits = case.content.traits
    asks = bool({"password", "account", "payment"} & set(case.met_early))
    if "password-field" in traits or (asks and any(each.kind == "form" for each in case.away)):
        return Text("The mail holds a form that sends what is typed into it away.")
    return None


RULE = Rule(
    id="form-in-mail",
    title="form in the mail",
    level="critical",
    weight=2.4,
    match=match,
    falsepositives=("Surveys inside mails.",),
)
