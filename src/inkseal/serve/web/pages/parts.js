/** Every part that pages are made of, side by side: for those who write pages, and for the tests that look at them. */
import { html, useState } from "../core/html.js";
import { get } from "../core/api.js";
import { duration, size } from "../core/format.js";
import { say } from "../core/language.js";
import { useLoad } from "../core/load.js";
import { Button } from "../ui/button.js";
import { Copy } from "../ui/copy.js";
import { confirm, Dialog, Drawer } from "../ui/dialog.js";
import { Form } from "../ui/form.js";
import { Icon, iconNames } from "../ui/icon.js";
import { Menu } from "../ui/menu.js";
import { Facts, Head, Panel } from "../ui/panel.js";
import { Progress } from "../ui/progress.js";
import { Empty, Failure, Note, Waiting } from "../ui/states.js";
import { Table } from "../ui/table.js";
import { Tabs } from "../ui/tabs.js";
import { Tag } from "../ui/tag.js";
import { toast } from "../ui/toast.js";

function Parts() {
  return html`<${Head} title=${say("Parts", "部件")} words=${say("What pages are made of.", "页面由这些部件组成。")}>
      <${Button} icon="refresh">${say("Plain", "普通")}<//>
      <${Button} kind="primary" icon="plus">${say("Primary", "主要")}<//>
    <//>
    <div class="stack">
      <${Buttons} /><${Windows} /><${Words} /><${Lists} /><${Forms} />
      <${Panel} title=${say("Icons", "图标")}>
        <div class="row">${iconNames.map((name) => html`<span key=${name} class="tag" title=${name}><${Icon} name=${name} size=${18} />${name}</span>`)}</div>
      <//>
    </div>`;
}

const Buttons = () => html`<${Panel} title=${say("Buttons", "按钮")} words=${say("One primary on a page.", "每页只有一个主要按钮。")}>
  <div class="row">
    <${Button} kind="primary">${say("Primary", "主要")}<//>
    <${Button}>${say("Plain", "普通")}<//>
    <${Button} kind="quiet">${say("Quiet", "安静")}<//>
    <${Button} kind="danger" icon="trash">${say("Delete", "删除")}<//>
    <${Button} busy>${say("Working", "进行中")}<//>
    <${Button} disabled>${say("Not now", "暂不可用")}<//>
    <${Button} small icon="download">${say("Small", "小号")}<//>
    <${Button} icon="more" label=${say("More", "更多")} />
    <${Copy} text="ink" />
    <${Menu} label=${say("More to do", "更多操作")} items=${[{ title: say("Rename", "重命名"), icon: "create", onChoose: () => toast(say("Renamed", "已重命名"), { kind: "good" }) }, { title: say("Delete", "删除"), icon: "trash", isDanger: true, onChoose: () => {} }]} />
  </div>
<//>`;

function Windows() {
  const [open, setOpen] = useState("");
  const close = () => setOpen("");
  const ask = async () => {
    const yes = await confirm({ title: say("Delete this?", "删除？"), text: say("It cannot be undone.", "此操作无法撤销。"), does: say("Delete", "删除"), isDanger: true });
    toast(yes ? say("Deleted", "已删除") : say("Kept", "已保留"), { kind: yes ? "good" : "info" });
  };
  return html`<${Panel} title=${say("Windows", "窗口")}>
    <div class="row">
      <${Button} onClick=${() => setOpen("dialog")}>${say("Dialog", "对话框")}<//>
      <${Button} onClick=${() => setOpen("drawer")}>${say("Drawer", "侧栏")}<//>
      <${Button} onClick=${ask}>${say("Question", "询问")}<//>
      <${Button} onClick=${() => toast(say("Saved", "已保存"), { kind: "good", does: say("Undo", "撤销"), onDo: () => {} })}>${say("Toast", "提示")}<//>
      <${Button} onClick=${() => toast(say("That went wrong.", "出现错误。"), { kind: "bad" })}>${say("Bad toast", "错误提示")}<//>
    </div>
    ${open === "dialog" && html`<${Dialog} title=${say("A dialog", "对话框")} onClose=${close} does=${html`<${Button} kind="primary" onClick=${close}>${say("Good", "好")}<//>`}><p>${say("Escape closes it.", "按 Esc 关闭。")}</p><//>`}
    ${open === "drawer" && html`<${Drawer} title=${say("A drawer", "侧栏")} onClose=${close}><p>${say("It comes from the side.", "从侧边滑出。")}</p><//>`}
  <//>`;
}

function Words() {
  const [tab, setTab] = useState("notes");
  return html`<${Panel} title=${say("Words", "说明")}>
    <${Tabs} label=${say("Kinds of words", "说明的种类")} chosen=${tab} onChoose=${setTab}
      tabs=${[{ name: "notes", title: say("Notes", "提示") }, { name: "states", title: say("States", "状态"), count: 3 }, { name: "tags", title: say("Tags", "标签") }]}>
      ${tab === "notes" && html`<div class="stack">
        <${Note}>${say("Worth knowing.", "值得了解。")}<//>
        <${Note} kind="good" title=${say("Done", "完成")}>${say("It is sealed.", "已封印。")}<//>
        <${Note} kind="warn">${say("Look again.", "请再看一下。")}<//>
        <${Failure} error=${new Error(say("The file is damaged.", "文件已损坏。"))} again=${() => {}} />
      </div>`}
      ${tab === "states" && html`<${Empty} title=${say("Nothing here yet", "这里还没有内容")}><p>${say("What you make will stand here.", "您生成的内容将显示在此处。")}</p><${Button}>${say("Make something", "开始创作")}<//><//><${Waiting} />`}
      ${tab === "tags" && html`<div class="row"><${Tag}>Apache-2.0<//><${Tag} kind="good" icon="check">${say("trusted", "可信")}<//><${Tag} kind="warn">${say("unknown", "未知")}<//><${Tag} kind="bad">${say("changed", "已改动")}<//><${Tag} kind="seal">${say("AI generated", "AI生成")}<//></div>`}
    <//>
  <//>`;
}

const Lists = () => html`<${Panel} title=${say("Lists", "列表")}>
  <div class="stack">
    <${Progress} label=${say("Fetching", "正在获取")} done=${37} total=${98} words=${`${size(37e6)} / ${size(98e6)}`} />
    <${Progress} label=${say("Loading the model", "正在载入模型")} />
    <${Facts} facts=${[[say("Licence", "许可证"), "Apache-2.0"], [say("Time", "用时"), duration(3.2)], [say("Energy", "能耗"), ""]]} />
    <${Table} caption=${say("Models", "模型")}
      columns=${[{ name: "name", title: say("Name", "名称") }, { name: "size", title: say("Size", "大小"), isNumber: true, show: (row) => size(row.size) }]}
      rows=${[{ name: "tiny", size: 98362432 }, { name: "small", size: 491400064 }]} />
  </div>
<//>`;

function Forms() {
  const { value, error, again } = useLoad((signal) => get("/api/v1/forms/text", { signal }));
  const [filled, setFilled] = useState({});
  return html`<${Panel} title=${say("A form from its schema", "由 Schema 生成的表单")}>
    ${error ? html`<${Failure} error=${error} again=${again} />` : !value ? html`<${Waiting} />` : html`<${Form} schema=${value.request_schema} value=${filled} onChange=${setFilled} omit=${["messages", "parents", "tools", "constraint"]} />`}
    <pre class="mono faint" id="filled">${JSON.stringify(filled)}</pre>
  <//>`;
}

export const page = { name: "parts", order: 900, icon: "apps", title: { en: "Parts", zh: "部件" }, hidden: true, Page: Parts };
