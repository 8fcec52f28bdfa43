/** What narrows the list: modalities as a row, the rest as choices behind a button, and what is chosen as tags to take off. */
import { html, useState } from "../../core/html.js";
import { number } from "../../core/format.js";
import { say } from "../../core/language.js";
import { Button } from "../../ui/button.js";
import { ChoiceField, TextField } from "../../ui/field.js";
import { Icon } from "../../ui/icon.js";
import { checkName } from "../../ui/words.js";
import { modalityName, regimeName, stateName, verdictName } from "./words.js";

const CHOICES = () => [
  { name: "model", title: say("Model", "模型"), words: (value) => value },
  { name: "app", title: say("Application", "应用"), words: (value) => value },
  { name: "regime", title: say("Labelled for", "标识制度"), words: regimeName },
  { name: "verdict", title: say("Checks said", "检查结论"), words: verdictName },
  { name: "check", title: say("Noted by", "提示来自"), words: checkName },
];

/**
 * @param {object} props
 * @param {Record<string, string>} props.query
 * @param {Record<string, import("./types.js").Facet[]> | undefined} props.facets
 * @param {import("./types.js").Collection[]} props.collections
 * @param {(change: Record<string, string | undefined>) => void} props.onChange
 */
export function Filters({ query, facets, collections, onChange }) {
  const chosen = chosenOf(query, collections);
  const [isOpen, setOpen] = useState(false);
  const modalities = facets?.modality ?? [];
  return html`<div class="filters">
    <div class="filters-row">
      <div class="filters-kinds" role="group" aria-label=${say("Kind", "类型")}>
        <${Kind} isOn=${!query.modality} onClick=${() => onChange({ modality: undefined })}>${say("All", "全部")}<//>
        ${modalities.map(
          (one) => html`<${Kind} key=${one.value} isOn=${query.modality === one.value} onClick=${() => onChange({ modality: one.value })}>
            ${modalityName(one.value)} <span class="faint number">${number(one.count)}</span>
          <//>`,
        )}
      </div>
      <${Button} small kind="quiet" icon="filter" aria-expanded=${isOpen ? "true" : "false"} aria-controls="filters-more" onClick=${() => setOpen(!isOpen)}>
        ${chosen.length ? say(`Filters (${chosen.length})`, `筛选（${chosen.length}）`) : say("Filters", "筛选")}
      <//>
    </div>
    <div id="filters-more" class="filters-more" hidden=${!isOpen}>
      ${CHOICES()
        .filter(({ name }) => query[name] || (facets?.[name]?.length ?? 0) > (name === "check" ? 0 : 1))
        .map(
          ({ name, title, words }) => html`<${ChoiceField}
            key=${name}
            label=${title}
            empty=${say("All", "全部")}
            value=${query[name]}
            choices=${(facets?.[name] ?? []).map((one) => ({ value: one.value, title: `${words(one.value)} (${number(one.count)})` }))}
            onChange=${(value) => onChange({ [name]: value })}
          />`,
        )}
      ${collections.length > 0 &&
      html`<${ChoiceField}
        label=${say("Collection", "收藏夹")}
        empty=${say("All", "全部")}
        value=${query.collection}
        choices=${collections.map((one) => ({ value: one.id, title: `${one.name} (${number(one.num_artifacts)})` }))}
        onChange=${(value) => onChange({ collection: value })}
      />`}
      <${ChoiceField}
        label=${say("Steps of apps", "应用的步骤")}
        empty=${say("Behind the result", "隐藏在结果之后")}
        value=${query.steps}
        choices=${[{ value: "shown", title: stepsWords() }]}
        onChange=${(value) => onChange({ steps: value })}
      />
      <${TextField} type="date" label=${say("From", "自")} value=${query.since} onChange=${(value) => onChange({ since: value || undefined })} />
      <${TextField} type="date" label=${say("To", "至")} value=${query.until} onChange=${(value) => onChange({ until: value || undefined })} />
      <${ChoiceField}
        label=${say("State", "状态")}
        empty=${stateName("active")}
        value=${query.state}
        choices=${["withdrawn", "deleted"].map((value) => ({ value, title: stateName(value) }))}
        onChange=${(value) => onChange({ state: value })}
      />
    </div>
    ${chosen.length > 0 &&
    html`<ul class="filters-chosen" aria-label=${say("Filters in force", "已启用的筛选")}>
      ${chosen.map(
        ({ name, words }) => html`<li key=${name}>
          <button type="button" onClick=${() => onChange({ [name]: undefined })}>
            ${words}<${Icon} name="close" size=${14} /><span class="unseen">${say("take off", "移除")}</span>
          </button>
        </li>`,
      )}
    </ul>`}
  </div>`;
}

const Kind = ({ isOn, onClick, children }) => html`<button type="button" class="filters-kind" aria-pressed=${isOn ? "true" : "false"} onClick=${onClick}>${children}</button>`;

const stepsWords = () => say("Steps too", "同时显示步骤");

function chosenOf(query, collections) {
  const found = CHOICES()
    .filter(({ name }) => query[name])
    .map(({ name, title, words }) => ({ name, words: `${title}${say(": ", "：")}${words(query[name])}` }));
  if (query.collection) found.push({ name: "collection", words: collections.find((one) => one.id === query.collection)?.name ?? say("Collection", "收藏夹") });
  if (query.steps) found.push({ name: "steps", words: stepsWords() });
  if (query.since) found.push({ name: "since", words: say(`From ${query.since}`, `自 ${query.since}`) });
  if (query.until) found.push({ name: "until", words: say(`To ${query.until}`, `至 ${query.until}`) });
  if (query.state) found.push({ name: "state", words: stateName(query.state) });
  return found;
}
