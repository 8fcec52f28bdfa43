/** The first visit: a model, a question, a sealed answer. */
import { html, useEffect, useState } from "../core/html.js";
import { get } from "../core/api.js";
import { say } from "../core/language.js";
import { useLoad } from "../core/load.js";
import { kept } from "../core/store.js";
import { Failure, Waiting } from "../ui/states.js";
import { Ask } from "./start/ask.js";
import { Models, offered } from "./start/models.js";
import { usePull } from "./start/pull.js";

const visited = kept("visited", false);
const chosen = kept("start.model", "");
const draft = kept("draft.start", { text: "", isWaiting: false });

function Start() {
  const { value, error, again } = useLoad((signal) => get("/api/v1/models", { signal }));
  const models = offered(value ?? []);
  const model = models.find((one) => one.name === chosen.value) ?? models[0];
  const pull = usePull(model, again, () => (draft.value = { ...draft.value, isWaiting: false }));
  const [failure, setFailure] = useState(/** @type {Error | null} */ (null));
  const answer = async () => {
    draft.value = { ...draft.value, isWaiting: false };
    try {
      await begin(draft.value.text.trim(), model);
      draft.value = { text: "", isWaiting: false };
      visited.value = true;
    } catch (found) {
      setFailure(found);
    }
  };
  const ask = () => {
    setFailure(null);
    if (model.here) return answer();
    draft.value = { ...draft.value, isWaiting: true };
    pull.begin();
  };
  useEffect(() => {
    if (model?.here && draft.value.isWaiting) answer();
  }, [model?.here]);
  if (error && !value) return html`<${Failure} error=${error} again=${again} />`;
  if (!model) return html`<${Waiting} />`;
  return html`<div class="start">
    <header class="start-head">
      <h1 tabindex="-1">${say("Begin with a question", "从一个问题开始")}</h1>
      <p class="lead">${say("Every answer made here is checked, labelled and signed, and you can see where it came from.", "这里的每个回答都经过检查、标识与签名，来历一看便知。")}</p>
    </header>
    <ol class="start-steps">
      <${Step} number=${say("1", "一")} title=${say("A model", "选模型")} isDone=${model.here}>
        <${Models} models=${models} chosen=${model} pull=${pull} onChoose=${(name) => (chosen.value = name)} />
      <//>
      <${Step} number=${say("2", "二")} title=${say("A question", "提问题")}>
        <${Ask} draft=${draft} model=${model} pull=${pull} onAsk=${ask} />
        ${failure && html`<${Failure} error=${failure} again=${ask} />`}
      <//>
      <${Step} number=${say("3", "三")} title=${say("A sealed answer", "得封印")}>
        <p class="faint">${say("The answer carries its label and a red seal. Press the seal to see the checks, the model and the licence behind it.", "回答附有标识与朱红封印；点开封印，可见其检查、模型与许可证。")}</p>
      <//>
    </ol>
  </div>`;
}

const Step = ({ number, title, isDone, children }) => html`<li class="start-step">
  <span class="start-number" aria-hidden="true">${number}</span>
  <div class="start-body">
    <h2>${title}${isDone && html`<span class="unseen">${say(" (done)", "（已完成）")}</span>`}</h2>
    ${children}
  </div>
</li>`;

/** Asks in a conversation of the page Create, which then shows the answer. */
async function begin(text, model) {
  const { open, send, lastSettings } = await import("./create/conversation.js");
  const { go } = await import("../core/route.js");
  const { model: _, ...others } = lastSettings.value;
  const settings = model.aliases.includes("default") ? others : { ...others, model: model.name };
  lastSettings.value = settings;
  await open(null);
  go("create", [send({ text, settings })]);
}

export const page = {
  name: "start",
  order: 0,
  icon: "seal",
  title: { en: "Start", zh: "开始" },
  role: "creator",
  hidden: true,
  Page: Start,
};
