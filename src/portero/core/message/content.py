"""What a mail holds once it was opened: words, links, codes and attachments, as values that name where each stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import SplitResult, urlsplit

from portero.core.address import a_label
from portero.core.text import Text


@dataclass(frozen=True)
class Link:
    """
    An address that a reader, or a reader's telephone, can be sent to.

    url:    as written, at most 4,096 characters; never fetched.
    place:  where it stands, for people.
    words:  what the reader sees instead, ``""`` where that is the address itself or a picture.
    kind:   link | form | image | code (a QR or bar code) | document (inside an attachment).
    """

    url: str
    place: Text
    words: str = ""
    kind: str = "link"

    @cached_property
    def split(self) -> SplitResult:
        """Give its parts; all empty where it cannot be read."""
        try:
            return urlsplit(self.url.strip())
        except ValueError:
            return SplitResult("", "", "", "", "")

    @cached_property
    def host(self) -> str:
        """Give the host as A-labels, ``""`` where there is none."""
        try:
            return a_label(self.split.hostname or "")
        except ValueError:
            return ""

    @property
    def web(self) -> bool:
        """Tell whether a browser would open it."""
        return self.split.scheme.lower() in {"http", "https"} and bool(self.host)


@dataclass(frozen=True, slots=True)
class Attachment:
    """
    A part that is not the text.

    number:  1-based, as readers count attachments; members of archives share their archive's.
    kind:    what its content is, whatever its name says: pdf | html | svg | image | calendar | mail | ooxml | ole | zip |
             text | program | other.
    traits:  what is in it: ``javascript``, ``launch``, ``form``, ``embedded-file``, ``macro``, ``external-template``,
             ``script``, ``smuggling``, ``encrypted``, ``damaged``, ``misnamed``, ``not-opened``, ``password-field``.
    """

    number: int
    name: str
    content_type: str
    kind: str
    size: int
    sha256: str
    traits: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Content:
    """
    A mail's content.

    text:         what a reader sees of the body.
    hidden:       what the body holds and a reader does not see.
    inside:       words in attachments and codes.
    links:        each once per place.
    traits:       of the body: ``form``, ``password-field``, ``script``, ``hidden-text``, ``pictures-only``, ``html``,
                  ``drawn-code``.
    pictures:     how many pictures the body shows, and how many of them lie on other servers.
    calendar:     whether it is or holds an invitation.
    gaps:         what was not opened, and why.
    """

    text: str = ""
    hidden: str = ""
    inside: str = ""
    links: tuple[Link, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    traits: frozenset[str] = frozenset()
    pictures: int = 0
    remote_pictures: int = 0
    calendar: bool = False
    gaps: tuple[Text, ...] = ()

    def of_kind(self, *kinds: str) -> tuple[Link, ...]:
        """Give the links of some kinds."""
        return tuple(each for each in self.links if each.kind in kinds)

    @cached_property
    def doors(self) -> tuple[Link, ...]:
        """Give what leads a reader away: web links, forms and codes, pictures left out."""
        return tuple(each for each in self.links if each.kind != "image" and each.web)

    def traits_of_attachments(self) -> frozenset[str]:
        """Give all traits of all attachments."""
        return frozenset().union(*(each.traits for each in self.attachments))


def unique(links: Iterable[Link], most: int) -> tuple[Link, ...]:
    """Give each (address, kind) once, the one with visible words first, at most so many."""
    found: dict[tuple[str, str], Link] = {}
    for each in links:
        key = (each.url, each.kind)
        held = found.get(key)
        if held is None:
            if len(found) < most:
                found[key] = each
        elif not held.words and each.words:
            found[key] = each
    return tuple(found.values())
