"""A pasted text without metadata: is this installation's watermark in it, and how sure is that?"""

import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import gguf_maker as make
from hub_maker import hub_folder
from inkseal.catalog.catalog import Catalog
from inkseal.core.errors import TrustError
from inkseal.core.types import Artifact, Usage, new_id, now
from inkseal.formats.tokenizer_json import tokenizer_from_folder
from inkseal.formats.validate import validate
from inkseal.formats.watermarks import key_id, watermarks
from inkseal.modalities.text.request import TextRequest
from inkseal.studio.provenance import text_watermark
from inkseal.studio.provenance.sealer import Sealer
from inkseal.studio.provenance.text_watermark import FALSE_ALARMS, find_watermark
from inkseal.studio.provenance.trust import Trust
from inkseal.studio.provenance.verify import verify

LETTERS = [ord(letter) for letter in "abcdfgijkmnopqrstuvwxyz ,."]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with two models of safetensors that share a tokenizer."""
    place = tmp_path_factory.mktemp("models")
    tokens, keys = make.byte_vocabulary()
    (place / "m.gguf").write_bytes(make.decoder("llama", vocabulary=len(tokens), tokens=tokens, extra=keys))
    for name in ("one", "two"):
        changes = {"initializer_range": 0.01} if name == "two" else {}
        Catalog(place / "data").bring(hub_folder(place / "m.gguf", place / name, **changes), name, validate=validate)
    return place / "data"


@pytest.fixture
def here(make_sealer: Callable[[str], Sealer], models: Path) -> Sealer:
    sealer = make_sealer("here")
    shutil.copytree(models / "models", sealer.store.data_dir / "models", dirs_exist_ok=True)
    return sealer


def marked(secret: bytes, models: Path, name: str = "kgw", length: int = 250) -> str:
    """A text of letters drawn with the watermark."""
    tokenizer = tokenizer_from_folder(models / "models" / "one")
    ids = np.array([tokenizer.encode(chr(letter))[0] for letter in LETTERS])
    rng, tilt, answer = np.random.default_rng(1), watermarks[name](secret).begin(), list[int]()
    while len(answer) < length:
        chances = tilt(answer, ids, np.full(len(ids), 1 / len(ids)))
        answer.append(int(rng.choice(ids, p=chances)))
    return tokenizer.decode(answer)


@pytest.mark.parametrize("name", sorted(watermarks))
def test_it_is_found_without_any_record(here: Sealer, models: Path, name: str) -> None:
    text = marked(here.trust.watermark_secret(), models, name)
    result = verify(here, text.encode())
    layer = result.layer("watermark")
    assert (layer.state, layer.details["watermark"], layer.details["tokenizer"]) == ("present", name, "one")
    assert layer.details["key_id"] == key_id(here.trust.watermark_secret())
    assert layer.details["false_alarms"] == FALSE_ALARMS == 1e-4
    assert result.relation == "not_found"
    assert not result.intact, "a watermark does not show that nothing was changed"
    assert "found" in result.summary
    assert "10,000" in result.summary
    assert f"p = {layer.details['p_value']:.2g}" in result.summary


def test_the_tokenizer_of_a_gguf_will_do(models: Path, make_sealer: Callable[[str], Sealer]) -> None:
    sealer = make_sealer("gguf")
    Catalog(sealer.store.data_dir).bring(models.parent / "m.gguf", "file", validate=validate)
    found = find_watermark(sealer.trust, sealer.store.data_dir, marked(sealer.trust.watermark_secret(), models))
    assert found is not None
    assert (found.found, found.model) == (True, "file")


def test_the_chance_is_that_of_all_tests_together(here: Sealer, models: Path) -> None:
    text = marked(here.trust.watermark_secret(), models, length=60)
    found = find_watermark(here.trust, here.store.data_dir, text)
    assert found is not None
    assert found.num_tests == len(watermarks), "models that share a tokenizer are one test"
    assert found.p_value == pytest.approx(min(1, found.num_tests * found.best.p_value))


def test_another_installation_does_not_find_it(
    here: Sealer, models: Path, make_sealer: Callable[[str], Sealer]
) -> None:
    there = make_sealer("there")
    there.trust.watermark_secret()
    shutil.copytree(models / "models", there.store.data_dir / "models", dirs_exist_ok=True)
    result = verify(there, marked(here.trust.watermark_secret(), models).encode())
    assert result.layer("watermark").state == "absent"
    assert "does not show that it was made elsewhere" in result.summary


def test_looking_takes_no_torch(here: Sealer, models: Path) -> None:
    text = marked(here.trust.watermark_secret(), models)
    code = (
        "import sys; from pathlib import Path; from inkseal.studio.provenance.trust import Trust;"
        "from inkseal.studio.provenance.text_watermark import find_watermark;"
        "folder = Path(sys.argv[1]); assert find_watermark(Trust(folder), folder, sys.argv[2]).found;"
        "assert not {'torch', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(here.store.data_dir), text], check=True, timeout=60)


def test_looking_makes_no_key(here: Sealer) -> None:
    assert find_watermark(here.trust, here.store.data_dir, "Some words.") is None
    assert not here.trust.has_watermark_secret


def test_without_a_tokenizer_or_words_there_is_nothing_to_say(tmp_path: Path, here: Sealer) -> None:
    here.trust.watermark_secret()
    assert find_watermark(here.trust, tmp_path, "Some words.") is None
    for text in ("", " \n", "ab"):
        assert find_watermark(here.trust, here.store.data_dir, text) is None


def test_a_long_text_is_read_only_so_far(here: Sealer, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_watermark, "MAX_TOKENS", 100)
    text = marked(here.trust.watermark_secret(), models, length=400)
    found = find_watermark(here.trust, here.store.data_dir, text)
    assert found is not None
    assert found.best.num_tokens <= 100


def sealed(sealer: Sealer, **reported: str) -> dict[str, bool]:
    """Which requirements a text of 300 tokens meets."""
    content = b"words"
    digest, size = sealer.store.blobs.put(content)
    facts = {"modality": "text", "media_type": "text/markdown", "sha256": digest, "size_bytes": size}
    artifact = Artifact.model_validate(facts | {"id": new_id(), "created_at": now()})
    usage = Usage(completion_tokens=300, reported=reported)
    manifest = sealer.manifest(artifact, content=content, request=TextRequest.of("x", regime="eu"), usage=usage)
    assert sealer.trust.watermark_secret().hex().encode() not in manifest.canonical()
    return {requirement.id: requirement.met for requirement in manifest.requirements}


def test_only_a_watermark_of_this_key_meets_the_code(here: Sealer) -> None:
    own = key_id(here.trust.watermark_secret())
    assert sealed(here, watermark="kgw", watermark_key=own)["eu.watermark"]
    assert not sealed(here, watermark="kgw", watermark_key="0" * 16)["eu.watermark"]
    assert not sealed(here, watermark="kgw")["eu.watermark"]
    assert not sealed(here)["eu.watermark"]


def test_the_secret_is_for_the_owner_only_and_stays(tmp_path: Path) -> None:
    first = Trust(tmp_path).watermark_secret()
    path = tmp_path / "trust" / "watermark.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Trust(tmp_path).watermark_secret() == first != Trust(tmp_path).prompt_secret()
    path.chmod(0o640)
    with pytest.raises(TrustError, match="chmod 600"):
        Trust(tmp_path).watermark_secret()
    path.chmod(0o600)
    path.write_bytes(b"short")
    with pytest.raises(TrustError, match="damaged"):
        Trust(tmp_path).watermark_secret()
