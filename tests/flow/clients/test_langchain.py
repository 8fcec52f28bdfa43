"""LangChain's OpenAI integration, against a started server."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

from serving import Served


class Ball(BaseModel):
    """A ball."""

    colour: str
    count: int


@pytest.fixture
def chat(needs: Callable[[str], None], echo_server: Served) -> Any:
    needs("langchain_openai")
    from langchain_openai import ChatOpenAI

    return ChatOpenAI(model="echo", base_url=f"{echo_server.url}/v1", api_key="none", max_retries=0)


def test_chat_with_usage(chat: Any) -> None:
    answer = chat.invoke([("system", "be brief"), ("human", "hello ink")])
    assert answer.content == "hello ink"
    assert (answer.usage_metadata["input_tokens"], answer.usage_metadata["output_tokens"]) == (4, 2)


def test_stream_and_asynchronous_stream(chat: Any) -> None:
    pieces = list(chat.stream("one two three four"))
    assert "".join(piece.content for piece in pieces) == "one two three four"

    async def talk() -> str:
        import httpx
        from langchain_openai import ChatOpenAI

        async with httpx.AsyncClient() as carrier:  # its own would stay open beyond this loop
            there = {"base_url": chat.openai_api_base, "api_key": "none", "max_retries": 0}
            other = ChatOpenAI(model="echo", http_async_client=carrier, **there)
            return "".join([piece.content async for piece in other.astream("one two three four")])

    assert asyncio.run(talk()) == "one two three four"


def test_tools_and_their_results(chat: Any) -> None:
    from langchain_core.messages import HumanMessage, ToolMessage
    from langchain_core.tools import tool

    @tool
    def get_weather(city: str) -> str:
        """Weather of a city."""
        return f"sun in {city}"

    bound = chat.bind_tools([get_weather], tool_choice="get_weather")
    called = bound.invoke("x")
    (call,) = called.tool_calls
    assert (call["name"], call["args"]) == ("get_weather", {"city": ""})
    result = ToolMessage(content=get_weather.invoke(call["args"]), tool_call_id=call["id"])
    assert chat.invoke([HumanMessage("weather?"), called, result]).content == "weather?"
    gathered = None
    for piece in bound.stream("x"):
        gathered = piece if gathered is None else gathered + piece
    assert gathered is not None
    assert gathered.tool_calls[0]["name"] == "get_weather"


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_structured_output(chat: Any, method: str) -> None:
    assert chat.with_structured_output(Ball, method=method).invoke("a ball") == Ball(colour="", count=0)


def test_the_responses_interface(needs: Callable[[str], None], echo_server: Served) -> None:
    needs("langchain_openai")
    from langchain_openai import ChatOpenAI

    chat = ChatOpenAI(
        model="echo", base_url=f"{echo_server.url}/v1", api_key="none", max_retries=0, use_responses_api=True
    )
    assert chat.invoke("hello ink").text == "hello ink"
    assert "".join(piece.text for piece in chat.stream("hello ink")) == "hello ink"


def test_errors(chat: Any) -> None:
    import openai

    with pytest.raises(openai.BadRequestError):
        chat.bind(logprobs=True).invoke("x")


def test_embeddings(needs: Callable[[str], None], model_server: Served) -> None:
    needs("langchain_openai")
    from langchain_openai import OpenAIEmbeddings

    made = OpenAIEmbeddings(
        model="embedding", base_url=f"{model_server.url}/v1", api_key="none", check_embedding_ctx_length=False
    )
    tea, cha, tax = made.embed_documents(["tea", "茶", "a tax return"])

    def dot(first: list[float], second: list[float]) -> float:
        return sum(a * b for a, b in zip(first, second, strict=True))

    assert len(tea) == 512
    assert dot(tea, cha) > dot(tea, tax) + 0.2
