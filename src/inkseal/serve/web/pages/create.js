/** Create: conversations with a model, every answer checked, labelled and sealed. */
import { get } from "../core/api.js";
import { html, useEffect, useState } from "../core/html.js";
import { say } from "../core/language.js";
import { useLoad } from "../core/load.js";
import { go, replace } from "../core/route.js";
import { kept } from "../core/store.js";
import { Button } from "../ui/button.js";
import { Drawer } from "../ui/dialog.js";
import { Composer } from "./create/composer.js";
import { heading, isLoaded, lastSettings, open, openId, saveHeading } from "./create/conversation.js";
import { List } from "./create/list.js";
import { Settings } from "./create/settings.js";
import { Thread } from "./create/thread.js";

const hasList = kept("create.list", true);

/** @param {{steps: string[]}} props */
function Page({ steps }) {
  const id = /^[0-9a-z]{26}$/.test(steps[0] ?? "") ? steps[0] : null;
  const [drawer, setDrawer] = useState(/** @type {null | "list" | "settings"} */ (null));
  const [start, setStart] = useState({ text: "", turn: 0 });
  useEffect(() => {
    setDrawer(null);
    open(id);
  }, [id]);
  const settings = openId.value ? heading.value.settings : lastSettings.value;
  const makesPictures = settings.makes === "image";
  const { text: texts, pictures } = useModels(settings);
  const change = (next) => {
    if (!isLoaded.value) return;
    lastSettings.value = next;
    saveHeading({ settings: next });
  };
  const isWide = hasList.value && matchMedia("(min-width: 75rem)").matches;
  const toggleList = () => (matchMedia("(min-width: 75rem)").matches ? (hasList.value = !hasList.value) : setDrawer("list"));
  return html`<div class=${`create${hasList.value ? "" : " create-narrow"}`}>
    <aside class="create-list" aria-label=${say("Conversations", "对话")}>
      <${NewButton} />
      ${isWide && html`<${List} onGone=${() => go("create")} />`}
    </aside>
    <section class="create-main" aria-labelledby="create-title">
      <header class="create-head">
        <${Button} kind="quiet" icon="menu" label=${say("Conversations", "对话列表")} aria-expanded=${String(isWide || drawer === "list")} onClick=${toggleList} />
        <${openId.value ? "h1" : "p"} id="create-title" class="create-title">${openId.value ? heading.value.title : say("New conversation", "新对话")}<//>
        <${Button} kind="quiet" icon="plus" class="create-new-small" label=${say("New conversation", "新对话")} onClick=${() => go("create")} />
        <${Button} kind="quiet" icon="settings" label=${say("How it answers", "回答设置")} disabled=${!isLoaded.value} onClick=${() => setDrawer("settings")} />
      </header>
      <${Thread} settings=${settings} onStart=${(text) => setStart({ text, turn: start.turn + 1 })} />
      <${Composer}
        settings=${settings}
        models=${makesPictures ? pictures : texts}
        start=${start}
        onModel=${(model) => change(withModel(settings, model))}
        onMakes=${(makes) => change({ ...settings, makes })}
        onSent=${(sent) => sent !== id && replace("create", [sent])}
      />
    </section>
    ${drawer === "list" &&
    html`<${Drawer} title=${say("Conversations", "对话")} onClose=${() => setDrawer(null)}><${NewButton} onGo=${() => setDrawer(null)} /><${List} onGone=${() => go("create")} /><//>`}
    ${drawer === "settings" &&
    html`<${Drawer} title=${say("How it answers", "回答设置")} onClose=${() => setDrawer(null)}><${Settings} value=${settings} onChange=${change} /><//>`}
  </div>`;
}

const NewButton = ({ onGo }) =>
  html`<${Button} icon="plus" class="create-new" onClick=${() => (onGo?.(), go("create"))}>${say("New conversation", "新对话")}<//>`;

/** Returns the settings with another model: for pictures they are kept apart. */
function withModel(settings, model) {
  if (settings.makes !== "image") return { ...settings, model: model === "default" ? undefined : model };
  return { ...settings, image: { ...settings.image, model: model === "picture" ? undefined : model } };
}

/** The models that can be chosen; those that are here come first. The fake does both. */
function useModels(settings) {
  const { value } = useLoad((signal) => get("/api/v1/models", { signal }), []);
  const found = (value ?? []).filter((model) => model.task === "generate");
  const isFor = (modality) => (model) => model.format === "echo" || (model.modality ?? "text") === modality;
  return {
    text: choices(found.filter(isFor("text")), settings.model, "default", say("Default model", "默认模型")),
    pictures: choices(found.filter(isFor("image")), settings.image?.model, "picture", say("Picture model", "图片模型")),
  };
}

/** Returns what a list of models offers; one of them, or a name of its own, stands for the usual one. */
function choices(found, chosen, usual, title) {
  const answers = (model) => model.here || !!model.provider;
  const sorted = [...found].sort((a, b) => Number(answers(b)) - Number(answers(a)));
  const isUsual = (model) => model.name === usual || model.aliases.includes(usual);
  const named = sorted.map((model) => ({
    value: model.aliases.includes(chosen) ? chosen : isUsual(model) ? usual : model.name,
    title: answers(model) ? model.title : say(`${model.title} (not here)`, `${model.title}（未安装）`),
  }));
  if (!named.some((one) => one.value === usual)) named.unshift({ value: usual, title });
  return chosen && !named.some((one) => one.value === chosen) ? [...named, { value: chosen, title: chosen }] : named;
}

export const page = {
  name: "create",
  order: 10,
  icon: "create",
  title: { en: "Create", zh: "创作" },
  role: "creator",
  layout: "full",
  Page,
};
