/** The keys of the replay page; the help line says the same. */
import { ask, replay, replayNow } from "../app/replaying";

export const SPEEDS = [0.5, 1, 4, 16, 60];
/** Keys as they are printed, and the words (`replay.key.<word>`) for what they do. */
export const HELP: [string, string][] = [["Space", "play"], ["← →", "step"], ["⇧← →", "stride"], ["[ ]", "event"], [", .", "speed"], ["B", "mark"], ["C", "compare"]];

export const toggle = (): void => ask({ is_playing: !replay.value?.is_playing });
/** One speed slower or faster. */
export function gear(way: 1 | -1): void {
  const now = replay.value?.speed ?? 1, next = way > 0 ? SPEEDS.find((s) => s > now) : [...SPEEDS].reverse().find((s) => s < now);
  if (next !== undefined) ask({ speed: next });
}
/** What a key does here; null for a key of nobody's. */
export function actOf(e: KeyboardEvent, own: { jump: (way: 1 | -1) => void; mark: () => void; compare: () => void }): (() => void) | null {
  const target = e.target as HTMLElement;
  if (/INPUT|SELECT|TEXTAREA/.test(target.tagName) || e.ctrlKey || e.metaKey || e.altKey) return null;
  if (e.key === " " && target.tagName === "BUTTON") return null;
  const step = e.shiftKey ? 10_000 : 1000;
  const acts: Record<string, () => void> = {
    " ": toggle, ArrowLeft: () => ask({ at_ms: replayNow() - step }), ArrowRight: () => ask({ at_ms: replayNow() + step }), "[": () => own.jump(-1), "]": () => own.jump(1),
    ",": () => gear(-1), ".": () => gear(1), b: own.mark, B: own.mark, c: own.compare, C: own.compare, 1: () => ask({ speed: 1 }), 2: () => ask({ speed: 4 }), 3: () => ask({ speed: 16 }), 4: () => ask({ speed: 60 }),
  };
  return acts[e.key] ?? null;
}
