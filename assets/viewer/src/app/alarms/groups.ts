/** The floods among the live alarms, as the server last told them. */
import { signal } from "@preact/signals";
import type { AlarmGroup, AlarmGroups } from "../../wire";

export const floods = signal<AlarmGroup[]>([]);
export function heardFloods(message: { t: string }): boolean {
  if (message.t !== "floods") return false;
  floods.value = (message as unknown as AlarmGroups).groups;
  return true;
}
/** The alarms that are told under a flood. */
export const folded = (): Set<number> => new Set(floods.value.flatMap((g) => g.alarms));
