/** Ways out on foot from the storey that burns, as the server works them out: what is drawn, and what is said of them. */
import { useEffect, useState } from "preact/hooks";
import type { Shape, Xyz } from "../contract";
import type { WallUrgent } from "../wire";
import { call } from "./api";
import { token } from "./parts/chart";
import { activeAlarms, alarms, world } from "./store";

export interface Escape { storey: string; ways: { room: string; exit: string; metres: number; points: Xyz[] }[]; shut: string[]; burning: string[] }
const ABOVE_M = 0.35, WIDTH = 5, RING_M = 2;

/** The ways out while a fire in a building is what the wall shows; null otherwise, or when the server knows none. */
export function useEscape(here: WallUrgent | undefined): Escape | null {
  const [found, setFound] = useState<Escape | null>(null), w = world.value!, device = w.deviceById.get(alarms.value.get(here?.alarm ?? 0)?.device ?? "");
  const node = here && device && w.kinds.get(device.kind)?.pack === "fire" ? here.node : "", fires = activeAlarms.value.filter((a) => a.priority === 1).map((a) => `${a.id}${a.state}`).join();
  useEffect(() => {
    if (!node) { setFound(null); return; }
    let isHere = true;
    call<Escape>("GET", `/escape?node=${encodeURIComponent(node)}`).then((e) => { if (isHere) setFound(e.ways.length || e.shut.length ? e : null); }, () => { if (isHere) setFound(null); });
    return () => { isHere = false; };
  }, [node, fires]);
  return found;
}

/** Every stretch once, though many rooms share it; a ring at each way out. */
export function shapesOf(escape: Escape): Shape[] {
  const colour = token("--evac"), drawn = new Set<string>(), shapes: Shape[] = [], exits = new Map<string, Xyz>();
  for (const way of escape.ways) {
    const points: Xyz[] = [];
    for (const [x, y, z] of way.points) {
      const last = points[points.length - 1], here: Xyz = [x, y, z + ABOVE_M];
      points.push(here);
      if (!last) continue;
      const key = `${last.join()} ${here.join()}`;
      if (drawn.has(key)) break; // from here on another room's way has been drawn
      drawn.add(key);
    }
    if (points.length > 1) shapes.push({ kind: "path", points, colours: points.map(() => colour), width: WIDTH, dash: 10 });
    const end = way.points[way.points.length - 1];
    if (end) exits.set(way.exit, [end[0], end[1], end[2] + ABOVE_M]);
  }
  for (const at of exits.values()) shapes.push({ kind: "ring", at, radius: RING_M, colour, width: WIDTH });
  return shapes;
}
