"""Trains the classifier of prompt injection and writes its weights. Deterministic: equal data give equal weights.

    python benchmarks/train_injection.py [--embedder FILE.onnx]

Weights come from the training texts and the first test. Thresholds come from scores that each text got from a model
which had not seen its group (five folds; a group is a template, a few neighbouring texts, a file, or a collection),
and are raised where more than 1 % of the calibration texts (`guard_split.py`) would still be taken for attacks.
"""

import argparse
import hashlib
import io
import json
import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from guard_embedder import Embed, open_embedder
from guard_measure import TRAINING, read
from guard_split import calibrates
from numpy.typing import NDArray
from train_terms import Words, train_terms

import inkseal.studio.guard
from inkseal.studio.guard.injection_model import TERMS, WEIGHTS_FILE, features, num_features
from inkseal.studio.guard.injection_rules import families
from inkseal.studio.guard.injection_windows import Window, windows

HERE = Path(__file__).parent / "data" / "guard"
SHIPPED = Path(inkseal.studio.guard.__file__).parent / WEIGHTS_FILE
EMBEDDING_ONLY = HERE / "embedding_only.npz"
FALSE_ALARMS = 0.005
"""Half of the aimed 1 %: new kinds of text raise more false alarms than those that training knew."""
FOLDS, HIDDEN, RATE, DECAY, BATCH, BALANCE, NOISE, SEED = 5, 64, 5e-3, 1e-4, 256, 0.5, 0.15, 7
ROUNDS = (6, 4, 4)
BLIND = 1e6
"""Makes a feature vanish beside the others."""
NETS = ("patterns.1", "words.1", "patterns.2", "words.2")
"""Half of the networks see pattern hits beside the embedding, the others do not; the odds of all are averaged."""
NUM_PATTERNS = len(families()) + 1
TRAINED = ("w1", "b1", "w2", "w3", "b2")
ALIKE = ("Debian FAQ", "Debian handbook", "debmake-doc", "maint-guide", "NarrativeQA", "QuAC", "PubMedQA", "BBQ")
"""Collections that are held out whole; others of their kind remain."""
Array = NDArray[Any]


class Data(NamedTuple):
    """Windows of all texts: inputs, the text each belongs to, and facts about the texts."""

    embeddings: Array
    rows: Array
    owner: Array
    attack: Array
    chinese: Array
    document: Array
    fold: Array
    outside: Array
    """Windows that hold nothing of the attack in their text, where its place is known."""
    weight: Array
    words: Words


def prepare(texts: Sequence[dict[str, Any]], embed: Embed) -> Data:
    """Cuts the texts into windows and computes their inputs."""
    cut = [windows(item["text"]) for item in texts]
    rows = [features(found, item["origin"] == "document") for found, item in zip(cut, texts, strict=True)]
    owner = np.repeat(np.arange(len(texts)), [len(found) for found in cut])
    vectors = embed([window.text for found in cut for window in found])
    outside = [not _meets(window, item) for found, item in zip(cut, texts, strict=True) for window in found]
    groups = [item["group"] if item["attack"] else _harmless_group(item) for item in texts]
    fold = [int(hashlib.sha256(group.encode()).hexdigest(), 16) % FOLDS for group in groups]
    return Data(
        vectors,
        np.concatenate(rows),
        owner,
        np.array([item["attack"] for item in texts], bool),
        np.array([item["language"] == "zh" for item in texts]),
        np.array([item["origin"] == "document" for item in texts]),
        np.array(fold),
        np.array(outside),
        balanced(texts),
        Words.of([window.text for found in cut for window in found]),
    )


def _harmless_group(item: dict[str, Any]) -> str:
    held_out_whole = item["source"] in ALIKE or item["source"] == "authored train, plain"
    return str(item["group"] if held_out_whole else item["text"])


def _meets(window: Window, item: dict[str, Any]) -> bool:
    core = item.get("core", "").strip()
    start = item["text"].find(core)
    return not core or start < 0 or (window.start < start + len(core) and start < window.end)


def inputs_of(data: Data, weights: dict[str, Array]) -> Array:
    scaled = (data.rows - weights["mean"]) / weights["spread"]
    return np.concatenate([data.embeddings * weights["embedding_scale"], scaled], axis=1).astype(np.float32)


def forward(weights: dict[str, Array], x: Array) -> tuple[Array, Array]:
    hidden = np.maximum(x @ weights["w1"] + weights["b1"], 0)
    logits = hidden @ weights["w2"] + x @ weights["w3"] + weights["b2"]
    return hidden, (1 / (1 + np.exp(-np.clip(logits[:, 0], -30, 30)))).astype(np.float32)


def scores_of_texts(scores: Array, owner: Array, num_texts: int) -> Array:
    """Returns the highest window score of each text."""
    best = np.zeros(num_texts, np.float32)
    np.maximum.at(best, owner, scores)
    return best


def balanced(texts: Sequence[dict[str, Any]]) -> Array:
    """Returns a weight for each text: a template counts as much as a text that stands alone, Chinese twice."""
    sizes = Counter(item["group"] for item in texts if item["attack"])
    shares = np.array([1 / sizes[item["group"]] ** BALANCE if item["attack"] else 1.0 for item in texts])
    attack = np.array([bool(item["attack"]) for item in texts])
    if attack.any():
        shares[attack] *= attack.sum() / shares[attack].sum()
    return np.asarray(shares * [2 if item["language"] == "zh" else 1 for item in texts], np.float32)


class Adam:
    """Adam (Kingma and Ba 2015) with squared weights in the loss, in place; the rate falls to a tenth."""

    def __init__(self, weights: dict[str, Array], steps: int) -> None:
        self._weights, self._steps, self._step = weights, steps, 0
        self._first = {name: np.zeros_like(weights[name]) for name in TRAINED}
        self._second = {name: np.zeros_like(weights[name]) for name in TRAINED}

    def update(self, slopes: dict[str, Array]) -> None:
        self._step += 1
        rate = RATE * (1 - 0.9 * self._step / self._steps)
        for name in TRAINED:
            slope = slopes[name] + (DECAY * self._weights[name] if name.startswith("w") else 0)
            first = self._first[name] = 0.9 * self._first[name] + 0.1 * slope
            second = self._second[name] = 0.999 * self._second[name] + 0.001 * slope**2
            size = np.sqrt(second / (1 - 0.999**self._step)) + 1e-8
            change = first / (1 - 0.9**self._step) / size
            self._weights[name] = (self._weights[name] - rate * change).astype(np.float32)


def slopes_of(weights: dict[str, Array], x: Array, target: Array, weight: Array) -> dict[str, Array]:
    """Returns the slopes of the weighted mean logistic loss."""
    hidden, score = forward(weights, x)
    delta = ((score - target) * weight / len(x))[:, None].astype(np.float32)
    back = (delta @ weights["w2"].T) * (hidden > 0)
    return {"w1": x.T @ back, "b1": back.sum(0), "w2": hidden.T @ delta, "w3": x.T @ delta, "b2": delta.sum(0)}


def start(data: Data, chosen: Array, with_patterns: bool, generator: np.random.Generator) -> dict[str, Array]:
    """Returns untrained weights; a net without patterns sees nothing but the embedding."""
    width = data.embeddings.shape[1] + num_features()
    spread = data.rows[chosen].std(0) + 1e-3
    spread[(NUM_PATTERNS if with_patterns else 0) :] *= BLIND
    return {
        "embedding_scale": np.float32(8.0),
        "mean": data.rows[chosen].mean(0).astype(np.float32),
        "spread": spread.astype(np.float32),
        "w1": (generator.standard_normal((width, HIDDEN)) / np.sqrt(width)).astype(np.float32),
        "b1": np.zeros(HIDDEN, np.float32),
        "w2": (generator.standard_normal((HIDDEN, 1)) / np.sqrt(HIDDEN)).astype(np.float32),
        "w3": np.zeros((width, 1), np.float32),
        "b2": np.zeros(1, np.float32),
    }


def train(data: Data, use: Array, net: str) -> dict[str, Array]:
    """Trains on the texts that `use` marks. An attack's windows are not all attacks: in a second and third round
    those count that the model itself takes for attacks, at least one of each text (multiple-instance learning).
    """
    generator = np.random.default_rng(SEED + NETS.index(net))
    chosen = np.flatnonzero(use[data.owner])
    weights = start(data, chosen, net.startswith("patterns"), generator)
    x, owner, outside = inputs_of(data, weights)[chosen], data.owner[chosen], data.outside[chosen]
    attack = data.attack[owner] & ~outside
    alone = np.bincount(owner, ~outside, minlength=len(data.attack))[owner] == 1
    positive = attack & (alone | (data.rows[chosen, :NUM_PATTERNS].sum(1) > 0))
    first = data.embeddings.shape[1]
    blank = (-weights["mean"] / weights["spread"])[:NUM_PATTERNS]
    optimiser: Adam | None = None
    for epochs in ROUNDS:
        counted = np.flatnonzero(positive | ~attack)
        batches = len(counted) // BATCH + 1
        optimiser = optimiser or Adam(weights, sum(ROUNDS) * batches)
        for _ in range(epochs):
            for rows in np.array_split(generator.permutation(counted), batches):
                batch = x[rows].copy()
                # Half of the rows forget their pattern hits: authored attacks match patterns more often than others.
                forgets = np.flatnonzero(generator.random(len(rows)) < 0.5)
                batch[forgets, first : first + NUM_PATTERNS] = blank
                batch[:, :first] += NOISE * generator.standard_normal((len(rows), first), np.float32)
                optimiser.update(slopes_of(weights, batch, positive[rows], data.weight[owner[rows]]))
        score = forward(weights, x)[1]
        best = scores_of_texts(np.where(attack, score, 0), owner, len(data.attack))
        positive = attack & ((score >= 0.5) | (score == best[owner]))
    return weights


def out_of_fold(data: Data, net: str) -> Array:
    """Returns the score of each window by a network that saw neither its text nor that text's group."""
    scores = np.zeros(len(data.owner), np.float32)
    for fold in range(FOLDS):
        weights = train(data, data.fold != fold, net)
        left = data.fold[data.owner] == fold
        scores[left] = forward(weights, inputs_of(data, weights))[1][left]
    return scores


def terms_of(data: Data, use: Array) -> dict[str, Array]:
    """Trains the member that looks at words alone on the texts that `use` marks."""
    rows = np.flatnonzero(use[data.owner])
    owner = data.owner[rows]
    attack = data.attack[owner] & ~data.outside[rows]
    return train_terms(data.words.chosen(rows), attack, owner, data.weight[owner])


def terms_out_of_fold(data: Data) -> Array:
    """Returns the log odds of each window by its words, learnt without its text's group."""
    odds = np.zeros(len(data.owner), np.float32)
    for fold in range(FOLDS):
        left = data.fold[data.owner] == fold
        odds[left] = data.words.odds(terms_of(data, data.fold != fold))[left]
    return odds


def averaged(scores: list[Array], terms: Array | float = 0.0) -> Array:
    """Returns the probability of the networks' mean log odds and those of the words together."""
    odds = [np.log(np.clip(each, 1e-7, 1 - 1e-7) / (1 - np.clip(each, 1e-7, 1 - 1e-7))) for each in scores]
    return np.asarray(1 / (1 + np.exp(-np.mean(odds, axis=0) - terms)), np.float64)


def threshold_at(scores: Array, harmless: Array, rate: float = FALSE_ALARMS) -> float:
    """Returns the lowest score that at most this share of harmless texts reaches."""
    ordered = np.sort(scores[harmless])[::-1]
    return float(np.nextafter(ordered[int(rate * len(ordered))], np.float32(2)))


def report(name: str, data: Data, of_windows: Array) -> dict[str, dict[str, float]]:
    """Prints what texts of unseen groups got, and returns the thresholds by trust and language."""
    scores = scores_of_texts(of_windows, data.owner, len(data.attack))
    found: dict[str, dict[str, float]] = {"own": {}, "untrusted": {}}
    for trust, document in (("own", False), ("untrusted", True)):
        for language, chinese in (("en", False), ("zh", True)):
            here = (data.document == document) & (data.chinese == chinese)
            chosen = found[trust][language] = threshold_at(scores, here & ~data.attack)
            recall = (scores[here & data.attack] >= chosen).mean()
            print(f"{name}, {trust}, {language}: threshold {chosen:.4f}, recall of unseen groups {recall:.3f}")
    return found


def raised(
    thresholds: dict[str, dict[str, float]], nets: dict[str, dict[str, Array]], data: Data
) -> dict[str, dict[str, float]]:
    """Returns the thresholds, raised to where at most 1 % of the calibration texts of a language reach theirs.

    Both kinds of trust are raised by the same odds: calibration texts of one kind may be too few for a share of 1 %.
    """
    terms = data.words.odds(nets[TERMS]) if TERMS in nets else 0.0
    scored = [forward(weights, inputs_of(data, weights))[1] for name, weights in nets.items() if name != TERMS]
    windows_scored = averaged(scored, terms)
    scores = scores_of_texts(windows_scored, data.owner, len(data.attack))
    found: dict[str, dict[str, float]] = {"own": {}, "untrusted": {}}
    for language, chinese in (("en", False), ("zh", True)):
        here = data.chinese == chinese
        chosen = np.where(data.document, thresholds["untrusted"][language], thresholds["own"][language])
        excess = _odds(scores) - _odds(chosen)
        step = max(0.0, threshold_at(excess, here, 0.01))
        for trust in found:
            odds = float(_odds(np.array(thresholds[trust][language]))) + step
            found[trust][language] = 1 / (1 + float(np.exp(-odds)))
        print(f"{language}: {int(here.sum())} calibration texts raise the log odds by {step:.2f}")
    return found


def _odds(score: Array) -> Array:
    kept = np.clip(score.astype(np.float64), 1e-9, 1 - 1e-9)
    return np.asarray(np.log(kept / (1 - kept)))


def save(nets: dict[str, dict[str, Array]], thresholds: dict[str, dict[str, float]], path: Path) -> None:
    """Writes arrays in half precision as an archive without dates, so that equal weights are equal bytes."""
    arrays = {
        f"{net}.{name}": np.asarray(value, np.float16 if value.ndim > 1 else np.float32)
        for net, weights in nets.items()
        for name, value in weights.items()
    }
    arrays["facts"] = np.frombuffer(json.dumps(thresholds).encode(), np.uint8)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(arrays):
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, arrays[name], allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), buffer.getvalue())
    print(f"{path.name}: {path.stat().st_size} bytes, sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}")


def run(embed: Embed) -> None:
    data = prepare([item for name in TRAINING for item in read(name)], embed)
    print(f"{len(data.attack)} texts, {len(data.owner)} windows")
    everything = np.ones(len(data.attack), bool)
    nets = {net: train(data, everything, net) for net in NETS}
    # One network of each kind: their mean spreads more than that of four, so thresholds come out a little higher.
    unseen = {net: out_of_fold(data, net) for net in NETS[:2]}
    calibration = prepare([item for item in read("injection_fresh.jsonl.gz") if calibrates(item)], embed)
    thresholds = report("both", data, averaged(list(unseen.values()), terms_out_of_fold(data)))
    both = nets | {TERMS: terms_of(data, everything)}
    save(both, raised(thresholds, both, calibration), SHIPPED)
    words = {net: nets[net] for net in NETS if net.startswith("words")}
    alone = report("embedding alone", data, averaged([unseen[net] for net in words if net in unseen]))
    save(words, raised(alone, words, calibration), EMBEDDING_ONLY)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--embedder", type=Path, help="ONNX file; the catalog's embedding model when absent")
    run(open_embedder(parser.parse_args().embedder).embed)
