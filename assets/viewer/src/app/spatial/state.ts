/** What the spatial panels share: which is open, and the hour the scene is painted with. */
import { dayOf } from "../parktime";
import { signal } from "@preact/signals";
import { clock } from "../format";

export type PanelKey = "hours" | "meters" | "trail" | "fences" | "coverage";
/** The scene's own channel for values of a past hour. */
export const HOUR_CHANNEL = 1000;

export interface ShownHour { fromMs: number; toMs: number }
export const hourShown = signal<ShownHour | null>(null);
export const panel = signal<PanelKey | null>(readPanel());
/** Where each fence stands, so that its alarms stand there too. */
export const fenceMiddles = signal<Map<string, [number, number, number]>>(new Map());
/** The track whose trail is asked for. */
export const trailOf = signal<string | null>(new URLSearchParams(location.search).get("track"));

function readPanel(): PanelKey | null {
  const asked = new URLSearchParams(location.search).get("panel");
  return asked === "hours" || asked === "meters" || asked === "trail" || asked === "fences" || asked === "coverage" ? asked : null;
}
export function open(to: PanelKey | null): void {
  panel.value = to;
  const query = new URLSearchParams(location.search);
  if (to) query.set("panel", to); else query.delete("panel");
  if (to === "trail" && trailOf.value) query.set("track", trailOf.value); else query.delete("track");
  history.replaceState(null, "", `${location.pathname}${query.size ? `?${query}` : ""}`);
}
export const hourWords = (h: ShownHour): string => {
  return `${dayOf(h.fromMs).slice(5)} ${clock(h.fromMs).slice(0, 5)}–${clock(h.toMs).slice(0, 5)}`;
};
