"""What the relay says of a message in codes, as sentences."""

from __future__ import annotations

from portero.core.address import client_address
from portero.core.text import Text

# What the relay calls a device for which nobody has written a rule yet, behind it its address.
UNKNOWN_DEVICE = "learning "


def device_words(device: str) -> Text | str:
    """Say which device it is: a rule's name as it stands, or that it has none yet."""
    client = device.removeprefix(UNKNOWN_DEVICE)
    # A rule may be called so too; only an address stands behind the relay's own name.
    if client == device or client_address(client) is None:
        return device
    return Text("a device without a rule yet ({client})", client=client)


def reason(code: str, value: str) -> Text:
    """Say one way in which a message is outside its device's rule or habit; a code nobody knows stands as it is."""
    known = {
        "mail-from": Text("the sender {value} is not in the rule", value=value or "<>"),
        "header-from": Text("the author {value} is not in the rule", value=value or "-"),
        "recipient": Text("the recipient {value} is not in the rule", value=value),
        "size": Text("it is too large for the rule ({value} octets)", value=value),
        "rate": Text("the device sends more than {value} messages a minute", value=value),
        "hours": Text("it came at {value}, outside the hours", value=value),
        "burst": Text("{value} messages in one hour are far more than ever", value=value),
        "new-recipients": Text("{value} recipients in one hour that the device never wrote to", value=value),
        "attachment": Text("the device never sent a .{value} file", value=value),
        "torn": Text("its content is not whole on the disk"),
    }
    return known.get(code, Text("{code}: {value}", code=code, value=value))


def state_words(state: str) -> Text | str:
    """Say where a message stands, or what became of a wish to change that."""
    known = {
        "fresh": Text("being sent"),
        "sending": Text("being sent at this moment; it will be done when that ends"),
        "waiting": Text("waiting"),
        "held": Text("held"),
        "quarantined": Text("in quarantine"),
        "gone": Text("deleted"),
        "missing": Text("not in the queue"),
        "reported": Text("reported to its owner"),
        "ownerless": Text("nobody is to be told: name an owner in relay.toml, for the device or in [relay]"),
        "full": Text("unchanged: the queue's disk is full; make room on it first"),
        "unchanged": Text("unchanged: this cannot be done in its state"),
    }
    return known.get(state, state)


def fate_words(fate: str) -> Text | str:
    """Say what has become of one recipient; a fate nobody knows stands as it is."""
    known = {
        "waiting": Text("waiting"),
        "delivered": Text("delivered"),
        "refused": Text("refused for good"),
        "expired": Text("given up, its time is over"),
        "dropped": Text("deleted"),
    }
    return known.get(fate, fate)
