"""What the files of a project may not decide, and what they only propose."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from seshat.cli.app import app
from seshat.config.load import load_config
from seshat.core import trust
from seshat.core.errors import ConfigError, DataError, UsageError
from seshat.core.net import Client

EVIL = "https://models.example.org/v1"


@pytest.fixture(autouse=True)
def nothing_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.setattr(trust, "_proposed", {})
    for name in ("SESHAT_HOST", "SESHAT_DATABASE", "SESHAT_KEY_FILE", "SESHAT_ALLOW"):
        monkeypatch.delenv(name, raising=False)


def project(root: Path, more: str) -> Path:
    root.mkdir(exist_ok=True)
    (root / "seshat.yaml").write_text(f"project: {{language: qlm, pivot: es}}\n{more}\n")
    return root


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("host", "0.0.0.0"),
        ("host", "'::'"),
        ("database", "postgresql://me@db.example.org/x"),
        ("api_key_file", "key"),
        ("hosts", "[words.example.org]"),
    ],
)
def test_no_file_opens_the_server(tmp_path: Path, setting: str, value: str) -> None:
    root = project(tmp_path / "p", f"serve: {{{setting}: {value}}}")
    with pytest.raises(ConfigError, match=rf"seshat\.yaml:2: serve\.{setting}: no file of a project may set this"):
        load_config(root)
    (root / "profiles").mkdir()
    (root / "profiles" / "cloud.yaml").write_text(f"serve: {{{setting}: {value}}}\n")
    project(root, "")
    with pytest.raises(ConfigError, match=r"profiles/cloud\.yaml:1: "):
        load_config(root, ["cloud"])
    assert getattr(load_config(root, (), [f"serve.{setting}={value}"]).serve, setting)


def test_the_environment_and_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = project(tmp_path / "p", "serve: {host: 127.0.0.1, port: 8001}")
    assert load_config(root).serve.host == "127.0.0.1"
    monkeypatch.setenv("SESHAT_HOST", "0.0.0.0")
    monkeypatch.setenv("SESHAT_DATABASE", "postgresql://me@localhost/x")
    found = load_config(root, (), ["serve.host=192.168.1.5"]).serve
    assert (found.host, found.port, found.database) == ("192.168.1.5", 8001, "postgresql://me@localhost/x")


def test_a_server_that_a_file_names_is_allowed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = project(tmp_path / "p", f"translate: {{server: {{url: {EVIL}, api_key_env: HOME}}}}")
    load_config(root)  # looking is safe
    with pytest.raises(UsageError, match=r"seshat\.yaml:2: .*models\.example\.org(?s:.*)seshat allow https://models"):
        Client(EVIL)
    load_config(root, (), [f"translate.server.url={EVIL}"])  # the user's own words
    Client(EVIL).close()
    load_config(root)
    monkeypatch.setenv("SESHAT_ALLOW", "https://other.example.org https://models.example.org/v1/x")
    Client(EVIL).close()
    monkeypatch.delenv("SESHAT_ALLOW")
    assert CliRunner().invoke(app, ["allow", EVIL]).exit_code == 0
    Client(EVIL).close()
    with pytest.raises(UsageError, match="no address of a server"):
        trust.allow("models")


@pytest.mark.parametrize(
    "more",
    [
        f"augment: {{back_translation: {{server: {EVIL}, model: m}}}}",
        "sweep: {storage: 'postgresql://me@models.example.org/v1'}",
        "tracking: {uri: 'https://models.example.org'}",
        "translate: {ray: {address: 'ray://models.example.org:10001'}}",
    ],
)
def test_every_address_in_a_file_is_only_proposed(tmp_path: Path, more: str) -> None:
    load_config(project(tmp_path / "p", more))
    (address,) = trust._proposed
    with pytest.raises(UsageError, match="nobody has allowed that"):
        trust.asked_for(address)
    trust._proposed.clear()
    for outside in ("sqlite:////tmp/x.db", "sqlite:///../x.db", "sqlite:///file:/tmp/x.db?uri=true", "file:///tmp/x"):
        trust.propose(outside, "seshat.yaml:1")
        with pytest.raises(UsageError, match="inside the project alone"):
            trust.database(outside, tmp_path)
        trust._proposed.clear()
    (tmp_path / "p" / "out").symlink_to(tmp_path)
    with pytest.raises(DataError, match="leads out of the project"):
        trust.database("sqlite:///out/x.db", tmp_path / "p")
    for harmless in ("http://127.0.0.1:8000/v1", "sqlite:///models/mlflow.db", "auto"):
        trust.propose(harmless, "seshat.yaml:1")
        assert trust.asked_for(harmless) == harmless
