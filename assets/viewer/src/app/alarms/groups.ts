/** The floods among the live alarms, as the server last told them. */
import { signal } from "@preact/signals";
import type { AlarmGroup, AlarmGroups } from "../../wire";

export const floods = signal<AlarmGroup[]>([]);
/** Which alarms are in none, among those up to a number; null where nobody told of floods, as in a replay. */
const told = signal<{ alone: Set<number>; upto: number } | null>(null);
const NEWEST = 20;
export function heardFloods(message: { t: string }): boolean {
  if (message.t !== "floods") return false;
  const { groups, alone, upto } = message as unknown as AlarmGroups;
  floods.value = groups;
  told.value = { alone: new Set(alone), upto };
  return true;
}
export function forgetFloods(): void { floods.value = []; told.value = null; }
/** Of alarms in their order those that are rows of their own: in no flood, and of those the floods do not know yet the first
 * few, as a flood is told a second after its alarms. */
export function rowsOf<A extends { id: number }>(alarms: A[]): A[] {
  if (!told.value) return alarms;
  const { alone, upto } = told.value;
  let fresh = 0;
  return alarms.filter((a) => (a.id <= upto ? alone.has(a.id) : ++fresh <= NEWEST));
}
