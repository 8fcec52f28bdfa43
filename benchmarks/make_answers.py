"""Lets a local model answer many prompts several times, and reword its first answers: the texts of fingerprints.py.

    python benchmarks/make_answers.py MODEL_FOLDER OUT.jsonl [--answers 3] [--tokens 160]

MODEL_FOLDER holds an OpenVINO IR with its tokenizer. One line per prompt: {prompt, language, answers, reworded, model}.
An interrupted run goes on where it stopped.
"""

import argparse
import json
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data" / "fingerprints"
SYSTEM = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
CHAT = SYSTEM + "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"


def prompts(given_prompts: dict[str, Any]) -> list[tuple[str, str]]:
    """Returns (language, prompt) for every topic and task."""
    return [
        (language, task.format(topic))
        for language, given in given_prompts.items()
        for topic in given["topics"]
        for task in given["tasks"]
    ]


def ask(pipeline: Any, questions: list[str], seeds: list[int], num_tokens: int) -> list[str]:
    """Returns one answer per question and seed, drawn as the studio draws by default."""
    import openvino_genai as genai

    configs = []
    for seed in seeds:
        config = genai.GenerationConfig()
        config.max_new_tokens, config.do_sample, config.rng_seed = num_tokens, True, seed
        config.temperature, config.top_p, config.apply_chat_template = 0.7, 0.95, False
        config.stop_token_ids = set(config.stop_token_ids) | {pipeline.get_tokenizer().get_eos_token_id()}
        configs.append(config)
    results = pipeline.generate([CHAT.format(question) for question in questions], configs)
    return [result.m_generation_ids[0].split("<|im_end|>")[0].strip() for result in results]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--prompts", type=Path, default=DATA / "prompts.json")
    parser.add_argument("--answers", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=160)
    options = parser.parse_args()
    given_prompts = json.loads(options.prompts.read_text(encoding="utf-8"))
    import openvino_genai as genai

    scheduler = genai.SchedulerConfig()
    scheduler.cache_size, scheduler.max_num_seqs = 1, 16
    pipeline = genai.ContinuousBatchingPipeline(str(options.model), scheduler, "CPU", {"INFERENCE_NUM_THREADS": 2})
    lines = options.out.read_text(encoding="utf-8").splitlines() if options.out.exists() else []
    done = {json.loads(line)["prompt"] for line in lines}
    left = [pair for pair in prompts(given_prompts) if pair[1] not in done]
    with options.out.open("a", encoding="utf-8") as out:
        for start in range(0, len(left), 5):
            block = left[start : start + 5]
            questions = [prompt for _, prompt in block for _ in range(options.answers)]
            seeds = [1000 * i + len(done) + start for i in range(len(questions))]
            answers = ask(pipeline, questions, seeds, options.tokens)
            firsts = answers[:: options.answers]
            reworded = ask(
                pipeline,
                [given_prompts[lang]["reword"] + first for (lang, _), first in zip(block, firsts, strict=True)],
                [7] * len(block),
                options.tokens,
            )
            for i, (lang, prompt) in enumerate(block):
                mine = answers[i * options.answers : (i + 1) * options.answers]
                row = {"prompt": prompt, "language": lang, "answers": mine, "reworded": reworded[i]}
                if "common" in options.prompts.name:
                    row["common"] = True
                out.write(json.dumps({**row, "model": options.model.name}, ensure_ascii=False) + "\n")
            out.flush()


if __name__ == "__main__":
    main()
