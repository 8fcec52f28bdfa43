"""What each engine behind the OpenAI protocol can do beyond the common part; what is not listed is refused."""

from dataclasses import dataclass, field

from inkseal.core.errors import InvalidRequest, Unsupported
from inkseal.core.language import say
from inkseal.modalities.text.request import Sampling, TextRequest

_NOT_PASSED = frozenset({"temperature", "top_p", "presence_penalty", "frequency_penalty"})


@dataclass(frozen=True)
class Profile:
    """One engine.

    Attributes:
        samplers: our name of a sampling field → the engine's; of those that OpenAI's protocol lacks.
        counts: how prompt tokens are counted there: "" not at all, "llama_cpp", "vllm".
        structured: constraints it keeps: "json_schema", "regex", "choice" → how they are written.
    """

    name: str
    samplers: dict[str, str] = field(default_factory=dict)
    structured: dict[str, str] = field(default_factory=lambda: {"json_schema": "response_format"})
    max_tokens: str = "max_tokens"
    max_stops: int = 16
    seed: bool = True
    many: bool = True
    """Several results in one call."""
    raw_prompt: bool = True
    tools: bool = True
    forced_tool: bool = True
    logit_bias: bool = True
    counts: str = ""


_ALL = {"top_k": "top_k", "min_p": "min_p", "repetition_penalty": "repetition_penalty"}
_SCHEMA = {"json_schema": "response_format"}

PROFILES = {
    profile.name: profile
    for profile in (
        Profile("", many=False, max_stops=4, logit_bias=False),
        Profile("openai", max_tokens="max_completion_tokens", max_stops=4, raw_prompt=False),
        Profile(
            "vllm",
            samplers=_ALL,
            structured=_SCHEMA | {"regex": "structured_outputs", "choice": "structured_outputs"},
            counts="vllm",
        ),
        Profile("sglang", samplers=_ALL, structured=_SCHEMA | {"regex": "regex"}),
        Profile("tgi", many=False, max_stops=4, raw_prompt=False, logit_bias=False),
        Profile("ollama", many=False, forced_tool=False, logit_bias=False),
        Profile(
            "llama_cpp",
            samplers={"top_k": "top_k", "min_p": "min_p", "repetition_penalty": "repeat_penalty"},
            structured=_SCHEMA | {"choice": "grammar"},
            many=False,
            counts="llama_cpp",
        ),
        Profile("inkseal", samplers=_ALL, structured=_SCHEMA, raw_prompt=False, logit_bias=False),
    )
}


def profile_of(engine: str) -> Profile:
    """Returns the profile of an engine.

    Raises:
        InvalidRequest: there is none of that name.
    """
    if engine not in PROFILES:
        known = ", ".join(filter(None, PROFILES))
        raise InvalidRequest(
            say(f"No engine named {engine!r} is known.", f"没有名为 {engine!r} 的引擎。"),
            fix=say(f"Set `engine` to one of: {known}.", f"请将 `engine` 设为：{known}。"),
        )
    return PROFILES[engine]


def refuse_unsupported(request: TextRequest, profile: Profile) -> None:
    """Raises Unsupported when the engine lacks what the request asks for; nothing is left out in silence."""
    name = profile.name or say("an unknown engine", "未知引擎")
    usual = Sampling()
    for asked in Sampling.model_fields:
        value = getattr(request.sampling, asked)
        if asked in _NOT_PASSED or value == getattr(usual, asked) or asked in profile.samplers:
            continue
        if asked == "logit_bias" and profile.logit_bias:
            continue
        raise _lacks(name, asked)
    if request.top_logprobs:
        raise _lacks(name, "top_logprobs")
    if len(request.stop) > profile.max_stops:
        raise _lacks(name, say(f"more than {profile.max_stops} stop strings", f"多于 {profile.max_stops} 个停止串"))
    if request.raw_prompt and not profile.raw_prompt:
        raise _lacks(name, "raw_prompt")
    if request.tools and not profile.tools:
        raise _lacks(name, "tools")
    if request.tool_choice not in ("auto", "none") and not profile.forced_tool:
        raise _lacks(name, f"tool_choice {request.tool_choice!r}")
    for kind in ("json_schema", "regex", "choice"):
        if request.constraint and getattr(request.constraint, kind) is not None and kind not in profile.structured:
            raise _lacks(name, kind)
    if any(part.artifact or part.media_type != "text/plain" for message in request.messages for part in message.parts):
        raise _lacks(name, say("parts that are no text", "非文本内容"))


def _lacks(name: str, what: str) -> Unsupported:
    return Unsupported(
        say(f"{name} gives no {what} through this protocol.", f"{name} 无法通过此协议提供 {what}。"),
        fix=say(
            "Leave it out, or set the provider's `engine` in settings.toml.",
            "请去掉该项，或在 settings.toml 中设置服务商的 `engine`。",
        ),
    )
