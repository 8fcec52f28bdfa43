"""The official OpenAI client for Node, against a started server."""

import json
from collections.abc import Callable

from serving import Served

Node = Callable[[str, str], str]
TOOL = """{type: 'function', function: {name: 'get_weather',
  parameters: {type: 'object', properties: {city: {type: 'string'}}, required: ['city']}}}"""


def test_chat_and_models(node: Node, echo_server: Served) -> None:
    script = """
    const {data, response} = await client.chat.completions
      .create({model: 'echo', messages: [{role: 'user', content: 'hello ink 墨'}]}).withResponse();
    const ids = []; for await (const model of client.models.list()) ids.push(model.id);
    console.log(JSON.stringify([data, response.headers.get('inkseal-artifact'), ids]));
    """
    answer, artifact, models = json.loads(node(echo_server.url, script))
    assert answer["choices"][0]["message"]["content"] == "hello ink 墨"
    assert answer["inkseal"]["artifacts"][0]["id"] == artifact
    assert models == ["echo"]


def test_a_stream_with_its_usage(node: Node, echo_server: Served) -> None:
    script = """
    const stream = await client.chat.completions.create({model: 'echo', stream: true,
      stream_options: {include_usage: true}, messages: [{role: 'user', content: 'one two three'}]});
    let text = '', usage; for await (const chunk of stream) {
      text += chunk.choices[0]?.delta?.content ?? ''; usage = chunk.usage ?? usage;
    }
    console.log(JSON.stringify([text, usage.prompt_tokens, usage.completion_tokens]));
    """
    assert json.loads(node(echo_server.url, script)) == ["one two three", 3, 3]


def test_a_streamed_tool_call(node: Node, echo_server: Served) -> None:
    script = f"""
    const runner = client.chat.completions.stream({{model: 'echo', tools: [{TOOL}], tool_choice: 'required',
      messages: [{{role: 'user', content: 'x'}}]}});
    const final = await runner.finalChatCompletion();
    const call = final.choices[0].message.tool_calls[0];
    console.log(JSON.stringify([call.function.name, JSON.parse(call.function.arguments),
      final.choices[0].finish_reason]));
    """
    assert json.loads(node(echo_server.url, script)) == ["get_weather", {"city": ""}, "tool_calls"]


def test_responses_whole_streamed_and_continued(node: Node, echo_server: Served) -> None:
    script = """
    const first = await client.responses.create({model: 'echo', input: 'one two'});
    const stream = client.responses.stream({model: 'echo', input: 'three', previous_response_id: first.id});
    const kinds = []; for await (const event of stream) kinds.push(event.type);
    const last = await stream.finalResponse();
    console.log(JSON.stringify([first.output_text, last.output_text, last.usage.input_tokens,
      kinds.at(0), kinds.at(-1)]));
    """
    found = json.loads(node(echo_server.url, script))
    assert found == ["one two", "three", 5, "response.created", "response.completed"]


def test_a_schema(node: Node, echo_server: Served) -> None:
    script = """
    const schema = {type: 'object', properties: {count: {type: 'integer', minimum: 3}}, required: ['count'],
      additionalProperties: false};
    const answer = await client.chat.completions.create({model: 'echo', messages: [{role: 'user', content: 'x'}],
      response_format: {type: 'json_schema', json_schema: {name: 'count', schema, strict: true}}});
    console.log(answer.choices[0].message.content);
    """
    assert json.loads(node(echo_server.url, script)) == {"count": 3}


def test_errors(node: Node, echo_server: Served) -> None:
    script = """
    const messages = [{role: 'user', content: 'x'}];
    const failed = async (body) => { try { await client.chat.completions.create(body); } catch (error) {
      return [error.constructor.name, error.status, error.code, error.param]; } };
    console.log(JSON.stringify([await failed({model: 'nix', messages}), await failed({model: 'echo', messages, n: 99}),
      await failed({model: 'echo', messages, nonsense: 1})]));
    """
    assert json.loads(node(echo_server.url, script)) == [
        ["NotFoundError", 404, "model_not_found", "model"],
        ["BadRequestError", 400, "invalid_value", "n"],
        ["BadRequestError", 400, "unknown_parameter", "nonsense"],
    ]


def test_embeddings(node: Node, model_server: Served) -> None:
    script = """
    const answer = await client.embeddings.create({model: 'embedding', input: ['tea', '茶', 'a tax return']});
    const [tea, cha, tax] = answer.data.map((row) => row.embedding);
    const dot = (a, b) => a.reduce((sum, value, place) => sum + value * b[place], 0);
    console.log(JSON.stringify([dot(tea, tea), dot(tea, cha), dot(tea, tax), answer.usage.total_tokens]));
    """
    same, translated, other, num_tokens = json.loads(node(model_server.url, script))
    assert abs(same - 1) < 1e-5
    assert translated > other + 0.2
    assert num_tokens >= 9
