/** Says an energy together with how it is known. */
import { energy } from "../core/format.js";
import { say } from "../core/language.js";

/** @param {null | undefined | {energy_joules: number, kind: string, formula: string}} used */
export function energyOf(used) {
  if (!used) return say("unknown", "未知");
  const kind = used.kind === "measured" ? say("measured", "实测") : say("estimated", "估算");
  return `${energy(used.energy_joules)} · ${kind}${used.formula ? ` (${used.formula})` : ""}`;
}
