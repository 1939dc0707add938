"""An attachment acts when it is opened: a script, a macro, a template from elsewhere, a program."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.text import Text

_NAMES = {
    "javascript": Text("a script in a PDF"),
    "launch": Text("a PDF that starts a program"),
    "macro": Text("macros"),
    "external-template": Text("a template from another server"),
    "script": Text("a script"),
    "smuggling": Text("a file hidden in a script"),
    "password-field": Text("a form that asks for a password"),
    "program": Text("a program"),
}


def match(case: Case) -> Text | None:
    """Match attachments that act."""
    for each in case.content.attachments:
        for trait, words in _NAMES.items():
            if trait in each.traits:
                return Text("Attachment {name} holds {what}.", name=each.name or str(each.number), what=words)
    return None


RULE = Rule(
    id="attachment-active",
    title="active attachment",
    level="high",
    weight=2.3,
    match=match,
    falsepositives=("Forms and macros that the organisation exchanges.",),
)
