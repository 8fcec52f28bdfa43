"""A folder from a hub is read as one model, and refused when its parts contradict each other or reach outside."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import gguf_maker as make
from hub_maker import hub_folder
from inkseal.core.errors import ModelFileRefused
from inkseal.formats.hf_folder import HubFolder
from inkseal.formats.shards import INDEX
from inkseal.formats.validate import validate

SECOND = "model-00002-of-00002.safetensors"


def source(folder: Path) -> Path:
    tokens, keys = make.byte_vocabulary()
    (folder / "m.gguf").write_bytes(make.decoder(vocabulary=len(tokens), tokens=tokens, extra=keys))
    return folder / "m.gguf"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A whole small model in two shards."""
    return hub_folder(source(tmp_path), tmp_path / "hub", num_shards=2)


def edit(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")


def edit_index(folder: Path, change: Callable[[dict[str, str]], object]) -> None:
    given = json.loads((folder / INDEX).read_text("utf-8"))
    change(given["weight_map"])
    (folder / INDEX).write_text(json.dumps(given), "utf-8")


def test_a_whole_folder_is_read(folder: Path) -> None:
    model = HubFolder(folder)
    names = ["chat_template.jinja", "config.json", "generation_config.json", "model-00001-of-00002.safetensors", SECOND]
    assert [path.name for path in model.files] == [*names, INDEX, "tokenizer.json", "tokenizer_config.json"]
    tokenizer = model.tokenizer()
    assert tokenizer.decode(tokenizer.encode("hello 世界 <|im_end|>")) == "hello 世界 <|im_end|>"
    assert tokenizer.end_id == tokenizer.control["<|im_end|>"] not in tokenizer.encode("<|im_end|>")


def test_an_import_says_what_the_folder_holds(folder: Path) -> None:
    told = validate(min(folder.glob("*.safetensors")))
    assert (told["context_tokens"], told["chat"]) == (128, True)
    assert told["parameters"] == sum(
        file.tensors[name].size_bytes // 2 for name, file in HubFolder(folder)._shards.items()
    )


@pytest.mark.parametrize(
    "name", ["../outside.safetensors", "/etc/passwd.safetensors", "a/b.safetensors", "..\\x.safetensors", "x.bin", 7]
)
def test_fault_28_an_index_that_names_files_elsewhere_is_refused(folder: Path, name: Any) -> None:
    (folder.parent / "outside.safetensors").write_bytes((folder / SECOND).read_bytes())
    edit_index(folder, lambda places: places.update(dict.fromkeys(places, name)))
    with pytest.raises(ModelFileRefused, match="no file of its folder"):
        HubFolder(folder)


def test_fault_31_a_shard_that_is_a_link_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / SECOND).rename(tmp_path / "moved.safetensors")
    (folder / SECOND).symlink_to(tmp_path / "moved.safetensors")
    with pytest.raises(ModelFileRefused, match="missing or a link"):
        HubFolder(folder)


def test_fault_34_a_missing_shard_is_refused(folder: Path) -> None:
    (folder / SECOND).unlink()
    with pytest.raises(ModelFileRefused, match=SECOND):
        HubFolder(folder)


def test_fault_34_an_index_that_contradicts_its_shards_is_refused(folder: Path) -> None:
    first = "lm_head.weight"
    edit_index(folder, lambda places: places.update({first: SECOND}))
    with pytest.raises(ModelFileRefused, match=first):
        HubFolder(folder)


def test_fault_34_an_index_that_promises_too_much_is_refused(folder: Path) -> None:
    edit_index(folder, lambda places: places.update({"model.layers.9.nothing": SECOND}))
    with pytest.raises(ModelFileRefused, match=r"model\.layers\.9\.nothing"):
        HubFolder(folder)


@pytest.mark.parametrize("text", ["[]", '{"weight_map": {}}', '{"weight_map": []}', "[" * 100_000, "\udcff"])
def test_an_index_that_is_none_is_refused(folder: Path, text: str) -> None:
    (folder / INDEX).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ModelFileRefused, match="is no index"):
        HubFolder(folder)


def test_several_files_without_an_index_are_refused(folder: Path) -> None:
    (folder / INDEX).unlink()
    with pytest.raises(ModelFileRefused, match="2 weights files"):
        HubFolder(folder)


def test_a_file_beside_the_indexed_ones_is_left_alone(folder: Path) -> None:
    (folder / "consolidated.safetensors").write_bytes(b"not one")
    assert "consolidated.safetensors" not in [path.name for path in HubFolder(folder).files]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model_type": "gemma2"}, "gemma2.*llama, mistral, qwen2, qwen3.*GGUF"),
        ({"hidden_act": "gelu"}, "activation"),
        ({"sliding_window": 64, "use_sliding_window": True}, "sliding window"),
        ({"rope_scaling": {"rope_type": "yarn"}}, "yarn"),
        ({"quantization_config": {"quant_method": "gptq"}}, "quantised"),
        ({"num_hidden_layers": 3}, "blk.2.attn_norm.weight"),
        ({"num_hidden_layers": 1}, "model.layers.1"),
        ({"vocab_size": 259}, "token_embd.weight"),
        ({"auto_map": {"AutoModel": "x.Y"}}, "auto_map"),
    ],
)
def test_what_cannot_be_converted_is_refused_with_its_reason(folder: Path, changes: dict[str, Any], words: str) -> None:
    edit(folder / "config.json", **changes)
    with pytest.raises(ModelFileRefused) as refusal:
        validate(min(folder.glob("*.safetensors")))
    assert re.search(words, str(refusal.value), re.DOTALL)


def test_fault_36_a_tokenizer_larger_than_the_embedding_is_refused(folder: Path) -> None:
    given = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    given["added_tokens"][0]["id"] = 10_000
    (folder / "tokenizer.json").write_text(json.dumps(given), "utf-8")
    with pytest.raises(ModelFileRefused, match="added_tokens"):
        validate(min(folder.glob("*.safetensors")))


def test_without_a_tokenizer_it_is_refused(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelFileRefused, match=r"tokenizer\.json is missing"):
        validate(min(folder.glob("*.safetensors")))


def test_the_beginning_comes_from_the_post_processor(folder: Path) -> None:
    edit(folder / "tokenizer_config.json", add_bos_token=None)
    given = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    single = [{"SpecialToken": {"id": "<|im_end|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]
    places = {"type": "TemplateProcessing", "single": single, "pair": single, "special_tokens": {}}
    given["post_processor"] = {"type": "Sequence", "processors": [given["post_processor"], places]}
    (folder / "tokenizer.json").write_text(json.dumps(given), "utf-8")
    tokenizer = HubFolder(folder).tokenizer()
    assert tokenizer.bos_id == tokenizer.control["<|im_end|>"]
    edit(folder / "tokenizer_config.json", add_bos_token=False)
    assert HubFolder(folder).tokenizer().bos_id is None


def test_the_template_may_stand_in_the_configuration(folder: Path) -> None:
    (folder / "chat_template.jinja").unlink()
    edit(folder / "tokenizer_config.json", chat_template=[{"name": "default", "template": "{{ messages }}"}])
    assert HubFolder(folder).tokenizer().chat_template == "{{ messages }}"
