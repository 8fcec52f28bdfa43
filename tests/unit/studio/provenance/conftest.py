"""An installation with one sealed text, and a way to look at it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from inkseal.core.types import Artifact, Usage, new_id, now
from inkseal.modalities.text.request import TextRequest
from inkseal.store import artifacts
from inkseal.store.store import Store
from inkseal.studio.provenance.sealer import Sealer

TEXT = """# On bridges

A suspension bridge hangs its deck from cables, and the cables pull on towers at either end. **Arches** push instead.

1. Steel is strong when it is pulled.
2. Stone is strong when it is pressed.

Builders choose by the width of the river, by the ground under the piers, and by what the town can pay for it.
"""

MakeSealer = Callable[[str], Sealer]


@pytest.fixture
def make_sealer(tmp_path: Path) -> Iterator[MakeSealer]:
    """Opens installations by name, each with a data folder of its own."""
    stores: list[Store] = []

    def make(name: str) -> Sealer:
        stores.append(Store.open(tmp_path / name))
        return Sealer(stores[-1])

    yield make
    for store in stores:
        store.close()


@pytest.fixture
def sealer(make_sealer: MakeSealer) -> Sealer:
    return make_sealer("here")


def _record(sealer: Sealer, text: str = TEXT, num_tokens: int = 120) -> Artifact:
    """Seals a text as the story does."""
    content = text.encode()
    sha256, size_bytes = sealer.store.blobs.put(content)
    artifact = Artifact(
        id=new_id(),
        modality="text",
        media_type="text/markdown",
        sha256=sha256,
        size_bytes=size_bytes,
        created_at=now(),
        title="On bridges",
    )
    request = TextRequest.of("Tell me about bridges", seed=7)
    usage = Usage(completion_tokens=num_tokens)
    signed = sealer.seal(sealer.manifest(artifact, content=content, request=request, usage=usage))
    with sealer.store.transaction() as session:
        artifacts.add(session, artifact)
        sealer.record(session, artifact, content, signed)
    sealer.committed()
    return artifact


@pytest.fixture
def record() -> Callable[..., Artifact]:
    """Seals a text in an installation: `record(sealer, text, num_tokens)`."""
    return _record


@pytest.fixture
def sample() -> str:
    """The text that `record` seals when it is given none."""
    return TEXT
