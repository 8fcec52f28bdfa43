/** How the installation stands now, in a few figures. */
import { html } from "../../core/html.js";
import { number, size } from "../../core/format.js";
import { say } from "../../core/language.js";

/** @param {{status: any}} props */
export function Now({ status }) {
  const { machine } = status;
  return html`<dl class="now" aria-label=${say("The installation now", "当前状态")}>
    <${Figure} name=${say("Tokens a second", "每秒词元")} value=${number(status.tokens_per_second, { maximumFractionDigits: 1 })} words=${say("all answers, last 5 s", "全部回答，最近 5 秒")} />
    <${Figure} name=${say("At work", "进行中")} value=${number(status.num_running)} words=${say(`${number(status.num_waiting)} waiting`, `${number(status.num_waiting)} 个等待`)} />
    <${Figure} name=${say("Energy", "能耗")} value=${status.energy === "measured" ? say("measured", "实测") : say("unknown", "未知")}
      words=${status.energy === "measured" ? say("by the processor's counters", "来自处理器计数器") : say("this machine has no counters to read", "本机没有可读的计数器")} />
    <${Figure} name=${say("Disk", "磁盘")} value=${size(status.free_disk_bytes)} words=${say("free", "可用")} />
    <${Figure} name=${say("Network", "网络")} value=${status.offline ? say("offline", "离线") : say("allowed", "允许")} words=${say("for fetching models", "用于获取模型")} />
    <${Figure} name=${say("Processor", "处理器")} value=${say(`${machine.num_cores} cores`, `${machine.num_cores} 核`)} words=${machine.processor} />
  </dl>`;
}

const Figure = ({ name, value, words }) => html`<div class="figure"><dt>${name}</dt><dd><b>${value}</b><span class="faint small">${words}</span></dd></div>`;
