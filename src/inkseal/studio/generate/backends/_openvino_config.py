"""Translates a request into what OpenVINO GenAI understands, and refuses what it cannot do."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from inkseal.core.errors import InvalidRequest, Unsupported
from inkseal.core.language import say
from inkseal.formats.tokenizer import Tokenizer
from inkseal.formats.tool_calls import BEGIN, END
from inkseal.modalities.text.request import Constraint, TextRequest
from inkseal.studio.generate.constraints import check_constraint, check_schema
from inkseal.studio.generate.long_counts import loosened
from inkseal.studio.generate.prompting import offered_tools

if TYPE_CHECKING:
    from openvino_genai import GenerationConfig

BELOW_ONE = 1 - 2**-24
"""The engine wants min_p below 1; this is the nearest float32."""

GrammarSpec = dict[str, Any]
"""One of: json_schema, regex, grammar (a string each); or tools ([name, schema] each) with forced."""


def refuse_unsupported(request: TextRequest) -> None:
    """Raises Unsupported when the engine lacks what the request asks for."""
    if request.sampling.logit_bias:
        raise Unsupported(
            say(
                "This engine gives no access to logits, so logit_bias cannot work.",
                "该引擎不开放 logits，无法使用 logit_bias。",
            ),
        )
    if request.top_logprobs:
        raise Unsupported(
            say(
                "This engine does not report probabilities of alternatives (top_logprobs).",
                "该引擎不提供候选词元的概率（top_logprobs）。",
            ),
        )


def generation_config(
    request: TextRequest, tokenizer: Tokenizer, seed: int, spec: GrammarSpec | None
) -> "GenerationConfig":
    """Returns the engine's config of one result; stop strings are not in it, since they are ours."""
    from openvino_genai import GenerationConfig

    sampling = request.sampling
    config = GenerationConfig()
    config.apply_chat_template = False
    config.max_new_tokens = request.max_tokens
    if tokenizer.end_ids:
        config.eos_token_id = tokenizer.end_id
        config.stop_token_ids = set(tokenizer.end_ids)
    config.do_sample = sampling.temperature > 0
    if config.do_sample:
        config.temperature = sampling.temperature
        config.top_p = sampling.top_p
        if sampling.top_k:
            config.top_k = sampling.top_k
        config.min_p = min(sampling.min_p, BELOW_ONE)
    config.rng_seed = seed
    config.repetition_penalty = sampling.repetition_penalty
    config.presence_penalty = sampling.presence_penalty
    config.frequency_penalty = sampling.frequency_penalty
    if spec is not None:
        config.structured_output_config = structured_output(spec)
    return config


def grammar_spec(request: TextRequest) -> GrammarSpec | None:
    """Returns what the answer is held to, as plain data; None when it is free.

    Raises:
        InvalidRequest: a constraint is malformed, or tools and a constraint are asked for together.
        Unsupported: a constraint is too large, or would not be kept.
    """
    offered = offered_tools(request)
    if request.constraint is not None:
        if offered and request.tool_choice != "auto":
            raise InvalidRequest(
                say("A constraint and a forced tool call exclude each other.", "约束与强制工具调用不能同时使用。")
            )
        check_constraint(request.constraint)
        return _constraint_spec(request.constraint)
    if not offered:
        return None
    for tool in offered:
        check_schema(tool.parameters)
    tools = [[tool.name, _schema_text(tool.parameters)] for tool in offered]
    return {"tools": tools, "forced": request.tool_choice != "auto"}


def _constraint_spec(constraint: Constraint) -> GrammarSpec:
    if constraint.json_schema is not None:
        return {"json_schema": _schema_text(constraint.json_schema)}
    if constraint.regex is not None:
        return {"regex": constraint.regex}
    return {"grammar": "root ::= " + " | ".join(_quoted(choice) for choice in constraint.choice or ())}


def _schema_text(schema: Mapping[str, Any]) -> str:
    return json.dumps(loosened(schema)[0], ensure_ascii=False)


def _quoted(text: str) -> str:
    """Returns a literal of the engine's grammar language."""
    return '"' + "".join(_ESCAPES.get(letter, letter) for letter in text) + '"'


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def structured_output(spec: GrammarSpec) -> Any:
    """Returns the engine's form of a grammar."""
    from openvino_genai import StructuredOutputConfig

    if "tools" not in spec:
        return StructuredOutputConfig(**spec)
    tags = [
        StructuredOutputConfig.Tag(
            begin=f'{BEGIN}\n{{"name": "{name}", "arguments": ',
            content=StructuredOutputConfig.JSONSchema(schema),
            end="}\n" + END,
        )
        for name, schema in spec["tools"]
    ]
    forced = bool(spec["forced"])
    found = StructuredOutputConfig.TriggeredTags(
        triggers=[BEGIN], tags=tags, at_least_one=forced, stop_after_first=forced
    )
    return StructuredOutputConfig(structural_tags_config=found)
