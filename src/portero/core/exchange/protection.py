"""Which policy of each kind applies to whom: recipient classes in the order in which Exchange decides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from portero.core.address import a_label, domain_of, mailbox_key
from portero.core.evidence import ConfigObject
from portero.core.exchange.powershell import identity
from portero.core.exchange.settings import Tenant, flag, prop, texts
from portero.core.text import Text


class Family(StrEnum):
    """A kind of policy; the value is the property by which a rule names its policy."""

    ANTI_PHISH = "AntiPhishPolicy"
    ANTI_SPAM = "HostedContentFilterPolicy"
    MALWARE = "MalwareFilterPolicy"
    SAFE_LINKS = "SafeLinksPolicy"
    SAFE_ATTACHMENTS = "SafeAttachmentPolicy"
    OUTBOUND = "HostedOutboundSpamFilterPolicy"

    @property
    def policies(self) -> str:
        """Name the cmdlet that lists the policies."""
        return f"Get-{self.value}"

    @property
    def rules(self) -> str:
        """Name the cmdlet that lists the rules of custom policies."""
        return f"Get-{self.value.removesuffix('Policy')}Rule"

    @property
    def presets(self) -> str | None:
        """Name the cmdlet that lists the rules of presets; outbound policies have none."""
        if self is Family.OUTBOUND:
            return None
        return PRESET_RULES[1] if self in _DEFENDER else PRESET_RULES[0]

    @property
    def conditions(self) -> tuple[str, str, str]:
        """Name the conditions of its rules on people, groups and domains; outbound policies go by the sender."""
        if self is Family.OUTBOUND:
            return ("From", "FromMemberOf", "SenderDomainIs")
        return ("SentTo", "SentToMemberOf", "RecipientDomainIs")


# Which of them carries the rule of a preset differs by licence; a rule that names no policy of the family is skipped.
PRESET_RULES = ("Get-EOPProtectionPolicyRule", "Get-ATPProtectionPolicyRule")
_BUILT_IN_RULE = "Get-ATPBuiltInProtectionRule"
_DEFENDER = {Family.SAFE_LINKS, Family.SAFE_ATTACHMENTS}


class Level(StrEnum):
    """Where a recipient's policy comes from, in the order of precedence."""

    STRICT = "strict"
    STANDARD = "standard"
    CUSTOM = "custom"
    BUILT_IN = "built-in"  # only Safe Links and Safe Attachments, in place of a default
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Recipients:
    """
    Whom a rule takes: the kinds are ANDed, the values inside a kind ORed; nothing named means everyone.

    people are mailboxes as `mailbox_key` gives them, groups as written, domains as A-labels.
    """

    people: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.people or self.groups or self.domains)

    def within(self, other: Recipients) -> bool:
        """Tell whether all of these surely meet the conditions of another rule; membership of groups is not known."""
        if other.people and not (self.people and self.people <= other.people):
            return False
        if other.groups and not (self.groups and self.groups <= other.groups):
            return False
        if not other.domains:
            return True
        if self.domains and self.domains <= other.domains:
            return True
        return bool(self.people) and {domain_of(person) for person in self.people} <= other.domains


@dataclass(frozen=True, slots=True)
class RecipientClass:
    """
    Recipients that get one policy, unless an earlier class takes them.

    recipients, exceptions:  as the rule says; a recipient meets the exceptions when one of them names it.
    policy:       None where the rule names a policy that was not exported; its name is then all that is known.
    rule:         the rule that binds them, None for the default policy.
    certain:      False where the export does not say whether the rule is on, or names none of its conditions.
    exact:        False where any condition or exception was not exported: such a class is never taken to leave
                  nobody to later ones.
    """

    level: Level
    recipients: Recipients
    exceptions: Recipients
    policy_name: str
    policy: ConfigObject | None
    rule: ConfigObject | None
    certain: bool = True
    exact: bool = True

    @property
    def who(self) -> Text:
        """Say whom the class holds, as part of a sentence."""
        if self.rule is None:
            return Text("everyone whom no rule names")
        parts = tuple(_parts(self.recipients))
        if not self.exceptions:
            return Text("recipients who are {conditions}", conditions=parts) if parts else Text("everyone")
        excepted = tuple(sorted({*self.exceptions.people, *self.exceptions.groups, *self.exceptions.domains}))
        if not parts:
            return Text("everyone except {excepted}", excepted=excepted)
        return Text("recipients who are {conditions}, except {excepted}", conditions=parts, excepted=excepted)

    @property
    def derivation(self) -> Text:
        """Say why this policy applies to them, as part of a sentence."""
        if self.rule is None and self.level is Level.BUILT_IN:
            return Text("policy “{policy}” is the built-in protection", policy=self.policy_name)
        if self.rule is None:
            return Text("policy “{policy}” is the default", policy=self.policy_name)
        return Text(
            "rule “{rule}” gives policy “{policy}”", rule=identity(self.rule), policy=self.policy_name
        )


@dataclass(frozen=True, slots=True)
class Protection:
    """
    The classes in the order in which they take recipients, and what is not known.

    loose:    exported policies that may apply to somebody, because the rules that would say so were not exported.
    missing:  cmdlets whose answer would settle it.
    """

    classes: tuple[RecipientClass, ...]
    loose: tuple[ConfigObject, ...] = ()
    missing: tuple[str, ...] = ()


def protection(tenant: Tenant, family: Family, domains: Iterable[str] = ()) -> Protection | None:
    """
    Work out which policy of a family applies to which recipients; None when its policies were not exported.

    domains:  the accepted domains, when the list is whole: then a rule for all of them leaves nobody to later ones.
    The first enabled rule whose conditions match and whose exceptions do not is the only one that counts: Strict
    preset, Standard preset, custom rules by ascending priority, else the default policy.
    Source: controls catalogue R2; reference exchange-online 5.2.
    """
    policies = tenant.objects(family.policies)
    if policies is None:
        return None
    by_name = {identity(policy).lower(): policy for policy in policies}
    everyone = frozenset(map(a_label, domains))
    missing = tuple(_missing(tenant, family, policies))
    classes: list[RecipientClass] = []
    for held in (*_presets(tenant, family, by_name), *_customs(tenant, family, by_name)):
        if not any(_takes_all(earlier, held, everyone) for earlier in classes):
            classes.append(held)
    last = _last(tenant, family, policies)
    if last is not None and not any(_takes_all(earlier, last, everyone) for earlier in classes):
        classes.append(last)
    bound = {held.policy_name.lower() for held in classes}
    loose = tuple(policy for name, policy in by_name.items() if missing and name not in bound)
    return Protection(tuple(classes), loose, missing)


@dataclass(frozen=True, slots=True)
class Applied:
    """
    What one recipient gets.

    held:    the class that takes the recipient, or None where none surely does.
    unsure:  earlier classes that might take it, because membership of a group or state of a rule is not known.
    """

    held: RecipientClass | None
    unsure: tuple[RecipientClass, ...] = ()

    @property
    def certain(self) -> bool:
        """Tell whether the answer is the only one possible."""
        return self.held is not None and not self.unsure


def applied(found: Protection, recipient: str, groups: Mapping[str, frozenset[str]] | None = None) -> Applied:
    """
    Give the policy that really applies to one recipient: the first class that takes it, in the order of precedence.

    recipient:  a mailbox as `mailbox_key` gives it.
    groups:     members by group (lower case), whole lists only; a group that is missing leaves the answer unsure.
    """
    unsure: list[RecipientClass] = []
    for held in found.classes:
        takes = _takes(held, recipient, groups or {})
        if takes is False:
            continue
        if takes and held.certain:
            return Applied(held, tuple(unsure))
        unsure.append(held)
    return Applied(None, tuple(unsure))


def _takes(held: RecipientClass, recipient: str, groups: Mapping[str, frozenset[str]]) -> bool | None:
    """Tell whether a class takes a recipient; kinds of conditions are ANDed, any exception takes it out."""
    domain = domain_of(recipient)
    excepted = [
        recipient in held.exceptions.people,
        domain in held.exceptions.domains,
        *(_member(recipient, group, groups) for group in held.exceptions.groups),
    ]
    if True in excepted:
        return False
    named = held.recipients
    met: list[bool | None] = []
    if named.people:
        met.append(recipient in named.people)
    if named.domains:
        met.append(domain in named.domains)
    if named.groups:
        members = [_member(recipient, group, groups) for group in named.groups]
        met.append(True if True in members else None if None in members else False)
    if False in met:
        return False
    return None if None in met or None in excepted or not held.exact else True


def _member(recipient: str, group: str, groups: Mapping[str, frozenset[str]]) -> bool | None:
    members = groups.get(group.lower())
    return None if members is None else recipient in members


def _missing(tenant: Tenant, family: Family, policies: tuple[ConfigObject, ...]) -> Iterator[str]:
    """Name what was not exported and matters: without custom or preset policies their rules decide nothing."""
    if not tenant.complete(family.policies):
        yield family.policies
    others = [policy for policy in policies if not _is_last(policy)]
    presets = family.presets
    if presets and any(map(is_preset, others)) and not tenant.complete(presets):
        yield presets
    if any(_level(policy) is None for policy in others) and not tenant.complete(family.rules):
        yield family.rules


def _level(item: ConfigObject) -> Level | None:
    """Tell a preset's policy or rule by its name, which carries a number behind it, or by its recommended type."""
    name, kind = identity(item).lower(), str(item.properties.get("RecommendedPolicyType") or "").lower()
    for level in (Level.STRICT, Level.STANDARD):
        if kind == level or name.startswith(f"{level} preset security policy"):
            return level
    return None


def is_preset(policy: ConfigObject) -> bool:
    """Tell whether a policy is one of a preset's, which nobody can edit."""
    return _level(policy) is not None


def _is_last(policy: ConfigObject) -> bool:
    return flag(policy, "IsDefault") is True or flag(policy, "IsBuiltInProtection") is True


def _last(tenant: Tenant, family: Family, policies: tuple[ConfigObject, ...]) -> RecipientClass | None:
    """
    Give the class of whom no rule takes: the default policy's, or the built-in protection's.

    Built-in protection may except people, groups and domains, who then have no policy at all.
    Source: controls catalogue R2.
    """
    last = next(filter(_is_last, policies), None)
    if last is None:
        return None
    if family not in _DEFENDER:
        return RecipientClass(Level.DEFAULT, Recipients(), Recipients(), identity(last), last, None)
    rule = tenant.single(_BUILT_IN_RULE)
    exceptions = _recipients(rule, "ExceptIf", family) if rule else Recipients()
    return RecipientClass(Level.BUILT_IN, Recipients(), exceptions, identity(last), last, None)


def _presets(tenant: Tenant, family: Family, by_name: dict[str, ConfigObject]) -> Iterator[RecipientClass]:
    rules = [rule for cmdlet in PRESET_RULES for rule in tenant.objects(cmdlet) or ()]
    order = {Level.STRICT: 0, Level.STANDARD: 1}
    for rule in sorted(rules, key=lambda rule: order.get(_level(rule) or Level.DEFAULT, 2)):
        level = _level(rule)
        if level is not None:
            yield from _class(rule, level, family, by_name)


def _customs(tenant: Tenant, family: Family, by_name: dict[str, ConfigObject]) -> Iterator[RecipientClass]:
    for rule in sorted(tenant.objects(family.rules) or (), key=_priority):
        yield from _class(rule, Level.CUSTOM, family, by_name)


def _priority(rule: ConfigObject) -> int:
    value = str(rule.properties.get("Priority"))
    # A rule without a readable priority goes last, where it takes least.
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else 2**31


def _class(
    rule: ConfigObject, level: Level, family: Family, by_name: dict[str, ConfigObject]
) -> Iterator[RecipientClass]:
    name, state = prop(rule, family.value), prop(rule, "State")
    if not isinstance(name, str) or not name:
        return
    word = state.strip().lower() if isinstance(state, str) else ""
    if word == "disabled":
        return
    conditions, exceptions = _recipients(rule, "", family), _recipients(rule, "ExceptIf", family)
    kinds = family.conditions
    held = [texts(rule, prefix + kind) is not None for prefix in ("", "ExceptIf") for kind in kinds]
    yield RecipientClass(
        level,
        conditions,
        exceptions,
        name,
        by_name.get(name.lower()),
        rule,
        certain=word == "enabled" and any(held[: len(kinds)]),
        exact=word == "enabled" and all(held),
    )


def _recipients(rule: ConfigObject, prefix: str, family: Family) -> Recipients:
    people, groups, domains = (texts(rule, prefix + kind) or () for kind in family.conditions)
    return Recipients(
        frozenset(map(mailbox_key, people)), frozenset(groups), frozenset(map(a_label, domains))
    )


def _takes_all(earlier: RecipientClass, later: RecipientClass, everyone: frozenset[str]) -> bool:
    """Tell whether an earlier class surely leaves nobody to a later one."""
    if not earlier.exact or earlier.exceptions:
        return False
    if later.recipients.within(earlier.recipients):
        return True
    named = earlier.recipients
    return bool(everyone) and everyone <= named.domains and not named.people and not named.groups


def _parts(recipients: Recipients) -> Iterator[Text]:
    """Say the conditions; each part must hold."""
    if recipients.people:
        yield Text("one of {people}", people=tuple(sorted(recipients.people)))
    if recipients.groups:
        yield Text("members of {groups}", groups=tuple(sorted(recipients.groups)))
    if recipients.domains:
        yield Text("in {domains}", domains=tuple(sorted(recipients.domains)))
