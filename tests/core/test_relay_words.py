"""What the relay says in codes: a device without a rule is told in the reader's language, a rule's name as it stands."""

from portero.core.relay_words import UNKNOWN_DEVICE, device_words
from portero.faces.render import Renderer


def test_a_device_without_a_rule_is_told_in_the_readers_language() -> None:
    told = device_words(UNKNOWN_DEVICE + "10.1.2.3")
    assert Renderer("en").text(told) == "a device without a rule yet (10.1.2.3)"  # type: ignore[arg-type]  # no name
    assert Renderer("es").text(told) == "un dispositivo aún sin regla (10.1.2.3)"  # type: ignore[arg-type]
    assert device_words(UNKNOWN_DEVICE + "2001:db8::1") != UNKNOWN_DEVICE + "2001:db8::1"


def test_a_rules_name_stands_as_it_is() -> None:
    for name in ("Scanners", "learning lab printer", UNKNOWN_DEVICE, ""):
        assert device_words(name) == name
