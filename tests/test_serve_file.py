"""`serve.toml` gives who may sign in, and every fault at once with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from portero.core.access import Role
from portero.core.sign_in import Grant, Provider
from portero.errors import ConfigError
from portero.serve_file import RelayPlace, ServeFile, load_serve_file

WHOLE = """
[[sign_in]]
name = "Contoso"
issuer = "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0"
client_id = "aaaa"
client_secret = { file = "SECRET" }

[[sign_in.grant]]
role = "approver"
value = "Portero.Approve"
organisation = "Northwind"

[[sign_in.grant]]
role = "reader"
claim = "groups"
value = "9f0c"

[[relay]]
config = "relay.toml"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "serve.toml"
    path.write_text(text, "utf-8")
    return path


def test_what_it_says_is_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("right\n", "utf-8")
    path = write(tmp_path, WHOLE.replace("SECRET", str(secret)))
    grants = (
        Grant(Role.APPROVER, "roles", "Portero.Approve", "Northwind"),
        Grant(Role.READER, "groups", "9f0c"),
    )
    issuer = "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0"
    made = load_serve_file(path)
    assert made == ServeFile(
        (Provider("Contoso", issuer, "aaaa", "right", grants=grants),), (RelayPlace(tmp_path / "relay.toml"),)
    )
    assert "right" not in repr(made)


@pytest.mark.parametrize("kind", ["env", "credential"])
def test_a_secret_may_stand_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    (tmp_path / "OIDC").write_text("from a file", "utf-8")
    monkeypatch.setenv("OIDC", "from a variable")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    text = WHOLE.replace('file = "SECRET"', f'{kind} = "OIDC"')
    [provider] = load_serve_file(write(tmp_path, text)).providers
    assert provider.secret == {"env": "from a variable", "credential": "from a file"}[kind]


def test_without_a_file_nobody_else_signs_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_serve_file(None) == ServeFile()
    write(tmp_path, '[[relay]]\nconfig = "/etc/portero/relay.toml"\norganisation = "Northwind"\n')
    assert load_serve_file(None).relays == (RelayPlace(Path("/etc/portero/relay.toml"), "Northwind"),)


def test_every_fault_is_said_at_once_with_its_line(tmp_path: Path) -> None:
    text = """[[sign_in]]
name = ""
issuer = "http://login.example"
client_secret = "plain"
scopes = ["profile"]
realm = "x"
[[sign_in.grant]]
role = "boss"
[[relay]]
organisation = 7
"""
    with pytest.raises(ConfigError) as caught:
        load_serve_file(write(tmp_path, text))
    said = [str(each).partition("serve.toml, ")[2] for each in caught.value.problems]
    assert said == [
        "line 6: there is no key realm; known are name, issuer, client_id, client_secret, scopes, grant.",
        "line 3: issuer begins with https://, not 'http://login.example'.",
        "line 5: scopes is a list of texts with openid among them.",
        "line 8: role is one of reader, analyst, approver, administrator, not 'boss'.",
        "line 7: value is missing. Add it.",
        "line 2: name is a text that is not empty.",
        "line 1: client_id is missing. Add it.",
        'line 4: client_secret says where it is kept: { file = "…" }, env or credential.',
        "line 9: config is missing. Add it.",
        "line 10: organisation is a text that is not empty.",
    ]


def test_a_secret_that_is_not_there_is_said_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OIDC", raising=False)
    for held in ('file = "/none"', 'env = "OIDC"'):
        with pytest.raises(ConfigError, match="cannot be read"):
            load_serve_file(write(tmp_path, WHOLE.replace('file = "SECRET"', held)))
