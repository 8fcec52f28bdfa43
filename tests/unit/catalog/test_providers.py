"""Providers' models: named, licensed, without a hash; offline only those that are near."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inkseal.catalog.catalog import Catalog
from inkseal.catalog.providers import is_near, remote_facts
from inkseal.core.config import Provider, load_settings
from inkseal.core.errors import FetchFailed, InvalidRequest, ModelMissing, UnknownName
from local_hub import card_text


def provider(base_url: str, **fields: Any) -> Provider:
    given = {"kind": "openai_api", "base_url": base_url, "models": ["m"]}
    return Provider.model_validate(given | fields)


def test_a_provider_s_model_has_its_licence_and_no_hash(data_dir: Path) -> None:
    models = {"org/m": {"licence": "Apache-2.0", "context_tokens": 9}, "n": {}}
    catalog = Catalog(data_dir, {"far": provider("https://a.example/v1", models=models, key_env="FAR_KEY")})
    facts = remote_facts(catalog.remote["far/org/m"])
    assert facts == {
        "name": "far/org/m",
        "provider": "far",
        "task": "generate",
        "context_tokens": 9,
        "licence": "Apache-2.0",
        "sha256": None,
    }
    assert remote_facts(catalog.remote["far/n"])["licence"] == "terms of far"


@pytest.mark.parametrize(
    ("base_url", "allow_private", "allow", "near"),
    [
        ("http://127.0.0.1:8000/v1", True, (), True),
        ("http://localhost:8000/v1", True, (), True),
        ("http://[::1]:8000/v1", True, (), True),
        ("http://10.1.2.3/v1", True, (), True),
        ("http://10.1.2.3/v1", False, ("10.0.0.0/8",), True),
        ("http://10.1.2.3/v1", False, ("10.1.2.3:80",), True),
        ("http://10.1.2.3:81/v1", False, ("10.1.2.3:80",), False),
        ("http://127.0.0.1:8000/v1", False, (), False),
        ("https://8.8.8.8/v1", True, ("8.8.8.8",), False),
        ("https://api.example.org/v1", True, ("api.example.org",), False),  # to look it up is to ask the network
    ],
)
def test_which_services_are_near(base_url: str, allow_private: bool, allow: tuple[str, ...], near: bool) -> None:
    assert is_near(provider(base_url, allow_private=allow_private), allow) is near


def test_offline_keeps_what_is_near_and_says_why_the_rest_is_not_asked(data_dir: Path) -> None:
    (data_dir / "settings.toml").write_text(
        'offline = true\n[providers.far]\nkind = "openai_api"\nbase_url = "https://a.example/v1"\nmodels = ["m"]\n'
        '[providers.near]\nkind = "openai_api"\nbase_url = "http://127.0.0.1:9/v1"\nallow_private = true\n'
        'models = ["m"]\n'
    )
    catalog = Catalog.of(load_settings())
    assert list(catalog.remote) == ["near/m"]
    assert catalog.local("near/m").remote is not None
    with pytest.raises(ModelMissing, match="offline"):
        catalog.local("far/m")
    with pytest.raises(UnknownName):
        catalog.local("near/other")


def test_what_is_allowed_must_be_an_address(data_dir: Path) -> None:
    (data_dir / "settings.toml").write_text('[fetch]\nallow = ["not an address"]\n')
    with pytest.raises(InvalidRequest, match="not an address"):
        Catalog.of(load_settings())


@pytest.fixture
def listener() -> Iterator[tuple[int, threading.Event]]:
    """A port of the loopback, and whether anybody came."""
    came = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                came.set()
                connection.close()

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1], came


@pytest.mark.parametrize("by", ["the settings", "the card", "nobody"])
def test_a_card_reaches_a_closed_network_by_the_settings_alone(
    data_dir: Path, listener: tuple[int, threading.Event], by: str
) -> None:
    port, came = listener
    entry: dict[str, Any] = {"source": "url", "urls": {"w.gguf": f"https://127.0.0.1:{port}/w.gguf"}}
    if by == "the card":
        entry["allow"] = ["127.0.0.0/8"]
    (data_dir / "cards").mkdir()
    (data_dir / "cards" / "m.toml").write_text(card_text("m", {"w.gguf": b"x"}, [entry]))
    allow = ("127.0.0.0/8",) if by == "the settings" else ()
    with pytest.raises(FetchFailed):
        Catalog(data_dir, allow=allow).pull("m")
    assert came.is_set() is (by == "the settings")
