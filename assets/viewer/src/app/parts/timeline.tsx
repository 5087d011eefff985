/** The last 24 hours: alarm marks above event density. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type Alarm, api } from "../api";
import { clock } from "../format";
import { alarms, goTo, seconds, serverNow } from "../store";
import { pick, say } from "../words";
import { PriorityMark } from "./icons";

const SPAN = 24 * 3_600_000, BINS = 144;

export function Timeline(): JSX.Element {
  void seconds.value;
  const [past, setPast] = useState<Alarm[]>([]);
  useEffect(() => { api.alarms("all").then(setPast, () => undefined); }, []);
  const all = new Map([...past.map((a) => [a.id, a] as const), ...alarms.value]), now = serverNow(), start = now - SPAN;
  const shown = [...all.values()].filter((a) => a.raised_ms > start).sort((a, b) => b.priority - a.priority), bins = new Array<number>(BINS).fill(0);
  for (const a of shown) bins[Math.min(BINS - 1, Math.floor(((a.raised_ms - start) / SPAN) * BINS))] += 1;
  const most = Math.max(4, ...bins), merged = new Map<number, Alarm & { n: number }>();
  for (const a of shown) { const slot = Math.floor(((a.raised_ms - start) / SPAN) * 160), had = merged.get(slot); merged.set(slot, { ...a, n: (had?.n ?? 0) + 1 }); }
  const hours = Array.from({ length: 9 }, (_, k) => start + (k * SPAN) / 8);
  return (
    <section class="timeline" aria-label={say("timeline")}>
      <div class="lanes"><span>{say("alarms")}</span><span>{say("timeline.events")}</span></div>
      <div class="track">
        <div class="marks">{[...merged.values()].map((a) => <button key={a.id} style={{ left: `${((a.raised_ms - start) / SPAN) * 100}%` }} title={`${clock(a.raised_ms)} ${pick(a, "title")} · ${pick(a, "place")}${a.n > 1 ? ` +${a.n - 1}` : ""}`} onClick={() => goTo(a.device)}><PriorityMark priority={a.priority} size={14} isHollow={a.state === "cleared"} /></button>)}</div>
        <div class="bins">{bins.map((n, k) => <i key={k} style={{ height: `${(n / most) * 100}%` }} />)}</div>
        <div class="hours">{hours.map((h) => <span key={h} style={{ left: `${((h - start) / SPAN) * 100}%` }}>{clock(h).slice(0, 5)}</span>)}</div>
        <div class="head">{clock(now)}</div>
      </div>
    </section>
  );
}
