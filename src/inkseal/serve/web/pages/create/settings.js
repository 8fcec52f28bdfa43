/** How answers are asked for: system prompt, sampling from the request's schema, the answer's shape, tools. */
import { get } from "../../core/api.js";
import { html, useState } from "../../core/html.js";
import { say } from "../../core/language.js";
import { useLoad } from "../../core/load.js";
import { narrowed } from "../../core/schema.js";
import { Button } from "../../ui/button.js";
import { LongField, SwitchField } from "../../ui/field.js";
import { Form } from "../../ui/form.js";
import { Failure, Waiting } from "../../ui/states.js";
import { schemaFault } from "./schema_check.js";

const OMIT = ["modality", "messages", "model", "n", "parents", "constraint", "tools", "tool_choice", "raw_prompt", "top_logprobs", "sampling.logit_bias"];
const EXAMPLE = {
  type: "object",
  properties: { title: { type: "string" }, points: { type: "array", items: { type: "string" } } },
  required: ["title", "points"],
  additionalProperties: false,
};

const OMIT_OF_PICTURES = ["modality", "messages", "model", "n", "parents", "watermark"];

/** @param {{value: Record<string, any>, onChange: (value: Record<string, any>) => void}} props */
export const Settings = (props) => (props.value.makes === "image" ? html`<${PictureSettings} ...${props} />` : html`<${TextSettings} ...${props} />`);

function PictureSettings({ value, onChange }) {
  const { value: form, error, again } = useLoad((signal) => get("/api/v1/forms/image", { signal }), []);
  const { value: models } = useLoad((signal) => get("/api/v1/models", { signal }), []);
  const { image = {} } = value;
  const wanted = image.model ?? "picture";
  const model = models?.find((one) => one.name === wanted || one.aliases.includes(wanted));
  const put = (next) => onChange({ ...value, image: next });
  if (error) return html`<${Failure} error=${error} again=${again} />`;
  if (!form) return html`<${Waiting} />`;
  return html`<div class="settings">
    <${Form} schema=${narrowed(form.request_schema, model?.choices)} value=${image} onChange=${put} omit=${OMIT_OF_PICTURES} labels=${labels()} />
    <div class="settings-does">
      <${Button} small icon="refresh" onClick=${() => put(image.model ? { model: image.model } : {})}>${say("Back to the defaults", "恢复默认")}<//>
    </div>
  </div>`;
}

/** @param {{value: Record<string, any>, onChange: (value: Record<string, any>) => void}} props */
function TextSettings({ value, onChange }) {
  const { value: form, error, again } = useLoad((signal) => get("/api/v1/forms/text", { signal }), []);
  const [turn, setTurn] = useState(0);
  const put = (name, part) => {
    const { [name]: _, ...others } = value;
    onChange(part === undefined ? others : { ...others, [name]: part });
  };
  return html`<div class="settings">
    <${LongField}
      label=${say("System prompt", "系统提示词")}
      help=${say("Who the model is to be, and what it must keep to", "设定模型的角色与必须遵守的要求")}
      rows=${4}
      value=${value.system ?? ""}
      onChange=${(text) => put("system", text || undefined)}
    />
    ${error && html`<${Failure} error=${error} again=${again} />`}
    ${!form && !error && html`<${Waiting} />`}
    ${form && html`<${Form} schema=${form.request_schema} value=${value} onChange=${onChange} omit=${OMIT} labels=${labels()} />`}
    <${Shape} key=${`shape${turn}`} value=${value.constraint?.json_schema} onChange=${(schema) => put("constraint", schema && { json_schema: schema })} />
    <${Json}
      key=${`tools${turn}`}
      label=${say("Tools", "工具")}
      help=${say("A list of name, description and parameters; calls are shown, never run", "由 name、description、parameters 组成的列表；只显示调用，不执行")}
      value=${value.tools}
      fault=${toolsFault}
      onChange=${(tools) => put("tools", tools?.length ? tools : undefined)}
    />
    <div class="settings-does">
      <${Button} small icon="refresh" onClick=${() => (setTurn(turn + 1), onChange({ ...(value.image && { image: value.image }), ...(value.model && { model: value.model }) }))}>${say("Back to the defaults", "恢复默认")}<//>
    </div>
  </div>`;
}

const labels = () => ({
  max_tokens: say("Longest answer", "最长回答"),
  sampling: say("Sampling", "采样"),
  "sampling.temperature": say("Temperature", "温度"),
  "sampling.top_p": "Top-p",
  "sampling.top_k": "Top-k",
  "sampling.min_p": "Min-p",
  "sampling.repetition_penalty": say("Repetition penalty", "重复惩罚"),
  "sampling.presence_penalty": say("Presence penalty", "出现惩罚"),
  "sampling.frequency_penalty": say("Frequency penalty", "频率惩罚"),
  seed: say("Seed", "随机种子"),
  stop: say("Stop at", "停止词"),
  regime: say("Labelling rules", "标识制度"),
  timeout_seconds: say("Longest time", "最长时间"),
});

/** The answer's shape: off, or a JSON schema. */
function Shape({ value, onChange }) {
  return html`<div class="settings-shape">
    <${SwitchField}
      label=${say("Structured answer", "结构化回答")}
      help=${say("The answer is JSON that fits a schema", "回答为符合模式的 JSON")}
      value=${!!value}
      onChange=${(isOn) => onChange(isOn ? EXAMPLE : undefined)}
    />
    ${value && html`<${Json} label=${say("JSON schema", "JSON 模式")} value=${value} fault=${schemaFault} onChange=${(schema) => schema && onChange(schema)} />`}
  </div>`;
}

/** A text that must be JSON; what is off is said, and not taken. */
function Json({ label, help, value, fault, onChange }) {
  const [text, setText] = useState(value === undefined ? "" : JSON.stringify(value, null, 2));
  const error = text.trim() ? fault(text) : "";
  const take = (next) => {
    setText(next);
    if (!next.trim()) onChange(undefined);
    else if (!fault(next)) onChange(JSON.parse(next));
  };
  return html`<${LongField} label=${label} help=${help} error=${error} rows=${3} class="mono" spellcheck=${false} value=${text} onChange=${take} />`;
}

function toolsFault(text) {
  let tools;
  try {
    tools = JSON.parse(text);
  } catch (error) {
    return say(`This is no JSON: ${error.message}.`, `不是有效的 JSON：${error.message}。`);
  }
  if (!Array.isArray(tools)) return say("Tools are a list.", "工具须为列表。");
  const odd = tools.find((tool) => !/^[A-Za-z0-9_-]{1,64}$/.test(tool?.name ?? ""));
  if (odd !== undefined) return say("Each tool has a name of letters, digits, _ and -.", "每个工具须有由字母、数字、_ 和 - 组成的 name。");
  return tools.map((tool) => tool.parameters && schemaFault(JSON.stringify(tool.parameters))).find(Boolean) || "";
}
