/** The clock of a replay: where the past stands, as the server says; every page that draws "now" draws this instead. */
import { signal } from "@preact/signals";
import type { ReplayAsk, ReplayState } from "../wire";

export const isReplay = location.pathname === "/replay";
export const replay = signal<ReplayState | null>(null);
let heardMs = 0, send: (ask: ReplayAsk) => void = () => undefined;

export function attach(sender: (ask: ReplayAsk) => void): void { send = sender; }
export function heardReplay(message: ReplayState): void {
  const was = replay.value;
  heardMs = performance.now();
  // a fault stays until the next seek or play says otherwise
  replay.value = !message.fault && was?.fault && !message.is_reset && !message.is_playing ? { ...message, fault: was.fault, fault_zh: was.fault_zh } : message;
}
/** The instant of the past that is on the screen now, milliseconds. */
export function replayNow(): number {
  const r = replay.value;
  return r ? Math.min(r.last_ms, r.at_ms + (r.is_playing ? (performance.now() - heardMs) * r.speed : 0)) : Date.now();
}
/** What happened at an instant has happened when one goes there: the past stands at whole milliseconds. */
export function ask(what: { at_ms?: number; is_playing?: boolean; speed?: number }): void {
  send({ t: "replay", at_ms: what.at_ms === undefined ? null : Math.ceil(what.at_ms), is_playing: what.is_playing ?? null, speed: what.speed ?? null });
}
/** After the line came back: where we were. */
export function resume(): void {
  const r = replay.value, wanted = Number(new URLSearchParams(location.search).get("t"));
  if (r) ask({ at_ms: replayNow(), is_playing: r.is_playing, speed: r.speed });
  else if (wanted > 0) ask({ at_ms: wanted });
}
