"""What every text engine asks of a request before it begins: its kind, its tools, its prompt, its length."""

from collections.abc import Collection

from inkseal.core.errors import ContextTooLong, InvalidRequest, Unsupported
from inkseal.core.language import say
from inkseal.core.types import Request
from inkseal.formats.chat_template import ChatTemplate
from inkseal.formats.tokenizer import Tokenizer
from inkseal.modalities.text.request import TextRequest, ToolSpec


def text_request(request: Request, watermarks: Collection[str] = ()) -> TextRequest:
    """Returns the request if it asks for text.

    Args:
        watermarks: those that the engine can put in.

    Raises:
        Unsupported: it asks for something else, or for another watermark.
    """
    if not isinstance(request, TextRequest):
        raise Unsupported(
            say(f"A text model cannot make {request.modality}.", f"文本模型无法生成 {request.modality}。")
        )
    if request.watermark not in ("auto", "none", *watermarks):
        raise Unsupported(
            say(
                f"This engine puts in no watermark {request.watermark!r}.", f"该引擎不支持水印 {request.watermark!r}。"
            ),
            fix=say(
                "Take kgw or synthid, with the backend hf_transformers (extra torch).",
                "请用 hf_transformers 后端（扩展 torch），水印选 kgw 或 synthid。",
            ),
        )
    return request


def offered_tools(request: TextRequest) -> tuple[ToolSpec, ...]:
    """Returns the tools the model may call under `tool_choice`.

    Raises:
        InvalidRequest: `tool_choice` names no tool, or asks for one where none is offered.
    """
    choice = request.tool_choice
    if choice == "none":
        return ()
    if choice in ("auto", "required"):
        found = request.tools
    else:
        found = tuple(tool for tool in request.tools if tool.name == choice)
    if choice != "auto" and not found:
        raise InvalidRequest(
            say(f"There is no tool for tool_choice {choice!r}.", f"没有与 tool_choice {choice!r} 对应的工具。")
        )
    return found


def prompt_ids(request: TextRequest, tokenizer: Tokenizer, template: ChatTemplate | None) -> list[int]:
    """Returns the ids of the prompt: through the model's template, or the bare text for `raw_prompt`.

    Raises:
        InvalidRequest: the model has no template, or it refuses this order of messages.
    """
    if request.raw_prompt:
        text = "".join(message.text for message in request.messages)
        begin = [] if tokenizer.bos_id is None else [tokenizer.bos_id]
        return begin + tokenizer.encode(text)
    if template is None:
        raise InvalidRequest(
            say("The model has no chat template.", "该模型没有对话模板。"),
            fix=say("Set raw_prompt to continue plain text.", "请设置 raw_prompt 以续写纯文本。"),
        )
    tools = [{"type": "function", "function": tool.model_dump()} for tool in offered_tools(request)]
    return template.encode(request.messages, tools)


def refuse_overflow(prompt_tokens: int, max_tokens: int, limit_tokens: int) -> None:
    """Raises ContextTooLong when prompt and answer exceed the limit."""
    if prompt_tokens + max_tokens > limit_tokens:
        raise ContextTooLong(
            say(
                f"{prompt_tokens} prompt tokens and {max_tokens} for the answer exceed {limit_tokens}.",
                f"提示词 {prompt_tokens} 个词元加上答案 {max_tokens} 个，超过 {limit_tokens}。",
            ),
            fix=say("Shorten the prompt or lower max_tokens.", "请缩短提示词或减小 max_tokens。"),
        )
