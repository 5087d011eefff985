/** Where something is, in the reader's words. */
import type { World } from "../contract";
import { named, say } from "./words";

/** A node and what it stands in, from the building down, `most` names of it; a word for the open where it is in none. */
export function placeName(w: World, node: number, most = 3): string {
  const names: string[] = [];
  for (let n = w.byIndex.get(node); n && n.kind !== "park" && n.kind !== "zone"; n = w.byIndex.get(n.parent)) names.unshift(named(n));
  return names.slice(-most).join(" · ") || say("outdoors");
}
