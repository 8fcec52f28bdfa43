"""The command line as a person and as a program use it, each time as a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("data_dir")


def inkseal(*arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs `inkseal` with the arguments and returns what it printed and its exit code."""
    return subprocess.run(
        [str(Path(sys.executable).with_name("inkseal")), *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        env={**os.environ, "INKSEAL_LANGUAGE": "en", **environment},
        timeout=120,
        check=False,
    )


def test_only_the_answer_goes_to_standard_output() -> None:
    done = inkseal("generate", "text", "Hello ink", "--model", "echo")
    assert done.stdout == "Hello ink\n"
    assert "AI" in done.stderr
    assert "sealed" in done.stderr


def test_the_prompt_comes_from_standard_input_too() -> None:
    assert inkseal("generate", "text", "--model", "echo", stdin="水墨").stdout == "水墨\n"
    assert inkseal("generate", "text", "-", "--model", "echo", stdin="水墨").stdout == "水墨\n"


def test_json_is_one_document_and_so_is_an_error() -> None:
    done = inkseal("generate", "text", "one two", "--model", "echo", "--json")
    result = json.loads(done.stdout)
    assert result["texts"] == ["one two"]
    assert result["usage"]["completion_tokens"] == 2
    failed = inkseal("generate", "text", "x", "--model", "nope", "--json")
    assert json.loads(failed.stdout)["error"]["code"] == "unknown_name"
    assert failed.returncode == 2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("generate", "text", "x", "--model", "tiny"), 4),
        (("generate", "text", "x", "--model", "echo", "--max-tokens", "0"), 2),
        (("generate", "text", "x", "--model", "../../etc/passwd"), 2),
        (("models", "show", "nothing-like-it"), 2),
        (("verify", "/no/such/file"), 2),
        (("no-such-command",), 2),
    ],
)
def test_exit_codes_are_the_documented_ones(arguments: tuple[str, ...], code: int) -> None:
    done = inkseal(*arguments)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr


def test_an_empty_prompt_is_refused() -> None:
    done = inkseal("generate", "text", "--model", "echo", stdin=" \n")
    assert done.returncode == 2
    assert "no prompt" in done.stderr


@pytest.mark.parametrize("suffix", ["txt", "md", "html"])
def test_an_export_verifies_and_one_changed_byte_does_not(tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"answer.{suffix}"
    prompt = "The seal of this studio is pressed into every page that leaves the house, and nobody peels it off unseen."
    assert inkseal("generate", "text", prompt, "--model", "echo", "--out", str(out)).returncode == 0
    assert inkseal("verify", str(out)).returncode == 0
    out.write_bytes(out.read_bytes().replace(b"pressed", b"dressed"))
    changed = inkseal("verify", str(out), "--json")
    assert changed.returncode == 10
    layers = {layer["name"]: layer for layer in json.loads(changed.stdout)["layers"]}
    assert "text" in layers["metadata"]["changed"]


def test_pasted_text_is_recognised_without_any_metadata() -> None:
    prompt = "The seal of this studio is pressed into every page that leaves the house, and nobody peels it off unseen."
    inkseal("generate", "text", prompt, "--model", "echo")
    assert inkseal("verify", "-", stdin=prompt).returncode == 0
    strange = "Completely unrelated words about gardening, weather and the price of tea in a small mountain village."
    assert inkseal("verify", "-", stdin=strange).returncode == 11


def test_an_unlabelled_export_is_agreed_to_and_logged(tmp_path: Path) -> None:
    out = tmp_path / "bare.txt"
    inkseal("generate", "text", "bare words", "--model", "echo", "--out", str(out), "--unlabelled", "Li Lei")
    assert out.read_text().strip() == "bare words"
    entries = json.loads(inkseal("ledger", "show", "--json").stdout)
    logged = [entry["body"] for entry in entries if entry["kind"] == "unlabelled_export"]
    assert [body["agreed_by"] for body in logged] == ["Li Lei"]


def test_trust_between_two_installations(tmp_path: Path) -> None:
    out, certificates = tmp_path / "theirs.html", tmp_path / "theirs.pem"
    there = {"INKSEAL_DATA_DIR": str(tmp_path / "there")}
    text = "A page from another house, sealed by another hand, carried here by nobody we know."
    assert inkseal("generate", "text", text, "--model", "echo", "--out", str(out), **there).returncode == 0
    assert inkseal("trust", "export", str(certificates), **there).returncode == 0
    before = inkseal("verify", str(out))
    assert "unknown issuer" in before.stdout
    assert inkseal("trust", "import", str(certificates), "--name", "Hangzhou", "--yes").returncode == 0
    after = inkseal("verify", str(out))
    assert "known issuer 'Hangzhou'" in after.stdout
    assert after.returncode == 0


def test_rotation_keeps_old_seals_valid(tmp_path: Path) -> None:
    out = tmp_path / "old.html"
    inkseal("generate", "text", "sealed before the rotation of keys", "--model", "echo", "--out", str(out))
    assert inkseal("trust", "rotate").returncode == 0
    assert inkseal("verify", str(out)).returncode == 0
    assert inkseal("ledger", "verify").returncode == 0
    kinds = [entry["kind"] for entry in json.loads(inkseal("ledger", "show", "--json").stdout)]
    assert kinds == ["artifact_sealed", "exported", "trust_rotated"]


def test_backup_and_restore_bring_everything_back(tmp_path: Path) -> None:
    inkseal("generate", "text", "墨与纸的故事", "--model", "echo")
    copy = tmp_path / "copy.zip"
    assert inkseal("backup", str(copy)).returncode == 0
    there = {"INKSEAL_DATA_DIR": str(tmp_path / "there")}
    assert inkseal("restore", str(copy), **there).returncode == 0
    found = json.loads(inkseal("search", "故事", "--json", **there).stdout)
    assert [artifact["title"] for artifact in found] == ["墨与纸的故事"]
    assert inkseal("ledger", "verify", **there).returncode == 0


def test_it_speaks_chinese() -> None:
    told = inkseal("--language", "zh", "generate", "--help").stdout
    assert "生成内容" in told
    assert "由提示词生成内容（image）" in told
    assert "没有名为" in inkseal("generate", "text", "x", "--model", "nope", INKSEAL_LANGUAGE="zh").stderr


def test_doctor_names_what_is_missing_and_what_to_do() -> None:
    rows = json.loads(inkseal("doctor", "--json").stdout)
    by_name = {row["what"]: row for row in rows}
    assert by_name["smollm2-135m-instruct"]["fix"] == "inkseal models pull smollm2-135m-instruct"
    assert by_name["openvino-genai"]["state"] == "ok"
    assert by_name["ledger"]["state"] == "ok"


def test_a_chat_remembers_and_ends() -> None:
    done = inkseal("chat", "--model", "echo", stdin="first turn\nsecond turn\n/quit\n")
    assert done.returncode == 0
    assert "first turn" in done.stdout
    assert "second turn" in done.stdout


def test_the_shell_completes_commands() -> None:
    environment = {"_INKSEAL_COMPLETE": "complete_bash", "COMP_WORDS": "inkseal mod", "COMP_CWORD": "1"}
    assert inkseal(**environment).stdout.split() == ["models"]
