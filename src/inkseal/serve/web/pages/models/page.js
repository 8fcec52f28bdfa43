/** Models: what there is, what it takes, how fast it is here; fetched, loaded and removed by who may. */
import { html, useEffect, useState } from "../../core/html.js";
import * as api from "../../core/api.js";
import { say } from "../../core/language.js";
import { useLoad } from "../../core/load.js";
import { replace } from "../../core/route.js";
import { may } from "../../core/session.js";
import { useTasks } from "../../core/tasks.js";
import { Copy } from "../../ui/copy.js";
import { confirm } from "../../ui/dialog.js";
import { Head } from "../../ui/panel.js";
import { Empty, Failure, Note, Waiting } from "../../ui/states.js";
import { toast, toastError } from "../../ui/toast.js";
import { FetchDialog } from "./fetch.js";
import { ModelCard } from "./card.js";
import { ModelDetails } from "./details.js";
import { Memory } from "./memory.js";
import { Now } from "./now.js";
import { Providers } from "./provider.js";
import { run } from "./work.js";

const LOOK_MS = 3000;

/** @param {{steps: string[]}} props */
export function Models({ steps }) {
  const models = useLoad((signal) => api.get("/api/v1/models", { signal }));
  const status = useLoad((signal) => api.get("/api/v1/status", { signal }));
  const [asked, setAsked] = useState(/** @type {any} */ (null));
  const [shown, setShown] = useState(/** @type {any} */ (null));
  const reload = () => (models.again(), status.again());
  useTasks((task) => {
    if (task.kind === "backup") return;
    reload();
    if (task.state === "finished") toast(endOf(task), { kind: "good" });
  });
  useEffect(() => {
    const timer = setInterval(() => !document.hidden && status.again(), LOOK_MS);
    return () => clearInterval(timer);
  }, []);
  if (models.error && !models.value) return html`<${Failure} error=${models.error} again=${reload} />`;
  if (!models.value || !status.value) return status.error ? html`<${Failure} error=${status.error} again=${reload} />` : html`<${Waiting} />`;

  const does = actions({ reload, ask: setAsked });
  const open = models.value.find((model) => model.name === steps[0] || model.aliases.includes(steps[0]));
  const sorted = [...models.value].sort((a, b) => rank(a) - rank(b));
  const remote = sorted.filter((model) => model.provider);
  const here = sorted.filter((model) => model.here);
  const away = sorted.filter((model) => !model.here && !model.provider);
  const group = (list) => html`<ul class="models">
    ${list.map((model) => html`<${ModelCard} key=${model.name} model=${model} does=${does} onShow=${setShown} />`)}
  </ul>`;
  return html`<${Head} title=${say("Models", "模型")} words=${say("What can answer here, what it takes, and where it comes from.", "这里有哪些模型可用、需要多少资源、来自何处。")} />
    <${Memory} memory=${status.value.memory} models=${models.value} preview=${shown} onUnload=${may("admin") && does.unload} />
    <${Now} status=${status.value} />
    <section class="models-part" aria-label=${say("On this machine", "本机已有")}>
      <h2>${say("On this machine", "本机已有")} <span class="faint">${here.length}</span></h2>
      ${here.length ? group(here) : html`<${Empty} icon="models" title=${say("No model is here yet", "本机还没有模型")} />`}
    </section>
    ${away.length > 0 && html`<section class="models-part" aria-label=${say("To be fetched", "可以获取")}>
      <h2>${say("To be fetched", "可以获取")} <span class="faint">${away.length}</span></h2>
      ${group(away)}
    </section>`}
    ${remote.length > 0 && html`<${Providers} models=${remote} />`}
    ${may("admin") && html`<${Own} />`}
    ${asked && html`<${FetchDialog} model=${asked} status=${status.value} onClose=${() => setAsked(null)} />`}
    ${open && html`<${ModelDetails} name=${open.name} onClose=${() => replace("models")} />`}`;
}

const TASKS = ["generate", "embed"];

/** What people came for first: the default model, then others that write; the fake last. */
function rank(model) {
  if (!model.needs_files) return 9;
  if (model.aliases.includes("default")) return 0;
  const at = TASKS.indexOf(model.task);
  return at < 0 ? 5 : at + 1;
}

/** How to bring a model of one's own. */
const Own = () => html`<${Note} title=${say("A model of your own", "自己的模型")}>
  <p>${say(
    "A GGUF file or a model folder is imported on the machine itself; a page must not name folders of the server:",
    "GGUF 文件或模型文件夹须在服务器本机导入；网页不得指定服务器上的文件夹：",
  )}</p>
  <p class="row"><code>inkseal models import PATH</code><${Copy} text="inkseal models import " label=${say("Copy the command", "复制命令")} /></p>
<//>`;

function actions({ reload, ask }) {
  const guarded = (work) => async (model) => {
    try {
      await work(model);
    } catch (error) {
      toastError(error);
    }
  };
  return {
    fetch: ask,
    load: guarded((model) => run(model.name, "load")),
    measure: guarded((model) => run(model.name, "measure")),
    unload: guarded(async (model) => {
      await api.post(`/api/v1/models/${model.name}/unload`);
      reload();
    }),
    remove: guarded(async (model) => {
      const question = {
        title: say(`Remove ${model.title}?`, `删除 ${model.title}？`),
        text: say(
          "Its files leave this machine. What was made with it stays and can still be verified.",
          "将从本机删除其文件。用它生成的作品会保留，仍可验证。",
        ),
        does: say("Remove", "删除"),
        isDanger: true,
      };
      if (!(await confirm(question))) return;
      await api.remove(`/api/v1/models/${model.name}`);
      reload();
      toast(say(`${model.title} is removed.`, `已删除 ${model.title}。`), { kind: "good" });
    }),
  };
}

function endOf(task) {
  switch (task.kind) {
    case "pull":
      return say(`${task.subject} is here and verified.`, `${task.subject} 已就绪并通过校验。`);
    case "load":
      return say(`${task.subject} is loaded.`, `${task.subject} 已载入。`);
    default:
      return say(`${task.subject} is measured.`, `${task.subject} 测量完成。`);
  }
}
