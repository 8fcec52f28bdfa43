/** A model that a provider runs: it is asked by its name, and nobody here can prove which weights answer. */
import { html } from "../../core/html.js";
import { number } from "../../core/format.js";
import { say } from "../../core/language.js";
import { writesText } from "../../core/models.js";
import { go } from "../../core/route.js";
import { may } from "../../core/session.js";
import { kept } from "../../core/store.js";
import { Button } from "../../ui/button.js";
import { Facts } from "../../ui/panel.js";
import { Tag } from "../../ui/tag.js";
import { paceWords, taskWords } from "./words.js";

/** @param {{models: any[]}} props */
export const Providers = ({ models }) => html`<section class="models-part" aria-label=${say("At providers", "服务商提供")}>
  <h2>${say("At providers", "服务商提供")} <span class="faint">${models.length}</span></h2>
  <p class="faint">${say(
    "They answer elsewhere: what is asked leaves this machine, and which weights answer cannot be proved.",
    "由外部服务回答：提问内容会离开本机，且无法证明由哪些权重作答。",
  )}</p>
  <ul class="models">${models.map((model) => html`<${ProviderCard} key=${model.name} model=${model} />`)}</ul>
</section>`;

function ProviderCard({ model }) {
  const id = `model-${model.name}`;
  return html`<li class="panel model" aria-labelledby=${id}>
    <header class="model-head"><h3 id=${id}>${model.title}</h3></header>
    <p class="row"><${Tag}>${taskWords(model)}<//><${Tag} icon="link">${model.provider}<//></p>
    <${Facts}
      facts=${[
        [say("Licence", "许可"), model.licence || say("unknown", "未知")],
        [say("Context", "上下文"), model.context_tokens ? say(`${number(model.context_tokens)} tokens`, `${number(model.context_tokens)} 词元`) : say("unknown", "未知")],
        [say("Speed", "速度"), paceWords(model.pace)],
      ]}
    />
    <footer class="model-does">
      ${writesText(model) &&
      may("creator") &&
      html`<${Button} icon="create" onClick=${() => choose(model.name)}>${say("Ask it", "向它提问")}<//>`}
    </footer>
  </li>`;
}

/** Begins a conversation with a model. */
function choose(name) {
  const settings = kept("draft.create.settings", {});
  settings.value = { ...settings.value, model: name };
  go("create");
}
