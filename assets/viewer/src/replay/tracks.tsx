/** The timeline of a replay: alarms, commands, people, device, then marks; the scrubber over all of them. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api, type Command, type History } from "../app/api";
import { clock, figure } from "../app/format";
import { PriorityMark } from "../app/parts/icons";
import { ask, replay } from "../app/replaying";
import { device, seconds, serverNow, world } from "../app/store";
import { pick, say } from "../app/words";
import type { Mark, Span, Step } from "./api";

const SIGNS: Record<string, string> = { confirmed: "✓", acknowledged: "○", failed: "✕", expired: "✕", unknown: "?", refused: "✕" };

export interface Bar { alarm: Step; from: number; until: number; isOver: boolean }
/** A bar each time an alarm was active: from when it was raised, also before the window, to its return, or to the end of what is known. */
export function bars(steps: Step[], to: number): Bar[] {
  const open = new Map<number, Bar>(), out: Bar[] = [];
  for (const s of steps) {
    const bar = open.get(s.id);
    if (!bar && s.what === "raised") { const begun = { alarm: s, from: s.at_ms, until: to, isOver: false }; open.set(s.id, begun); out.push(begun); }
    else if (bar && (s.what === "returned" || s.state === "cleared")) { bar.until = s.at_ms; bar.isOver = true; open.delete(s.id); }
  }
  return out.sort((a, b) => a.alarm.priority - b.alarm.priority || a.from - b.from);
}

/** Bars in as few rows as they need, the urgent ones above; those for which there is no row are counted. */
export function stacked(all: Bar[], most: number, gap: number): { rows: Bar[][]; left: number } {
  const rows: Bar[][] = [];
  let left = 0;
  for (const bar of all) {
    const free = rows.find((row) => row.every((other) => bar.from >= Math.max(other.until, other.from + gap) || other.from >= Math.max(bar.until, bar.from + gap)));
    if (free) free.push(bar); else if (rows.length < most) rows.push([bar]); else left++;
  }
  return { rows, left };
}

/** Commands too near each other to be read apart, together. */
export function heaps(commands: Command[], gap: number): Command[][] {
  const out: Command[][] = [];
  for (const c of [...commands].sort((a, b) => a.steps[0]![1] - b.steps[0]![1])) {
    const last = out[out.length - 1];
    if (last && c.steps[0]![1] - last[0]!.steps[0]![1] < gap) last.push(c); else out.push([c]);
  }
  return out;
}

function path(values: (number | null)[], isArea: boolean): string {
  const known = values.filter((v): v is number => v !== null), low = isArea ? 0 : Math.min(...known), high = Math.max(...known, low + 1e-6);
  let out = "", open = false;
  values.forEach((v, k) => {
    if (v === null) { open = false; return; }
    out += `${open ? "L" : "M"}${((k + 0.5) / values.length * 1000).toFixed(1)} ${(36 - (v - low) / (high - low) * 30).toFixed(1)}`;
    open = true;
  });
  return out;
}

export function Tracks({ from, to, kept, span, marks, onRemove }: { from: number; to: number; kept: number | null; span: Span | null; marks: Mark[]; onRemove: (m: Mark) => void }): JSX.Element {
  void seconds.value;
  const at = serverNow(), last = replay.value?.last_ms ?? to, share = (t: number) => `${Math.min(100, Math.max(0, (t - from) / (to - from) * 100))}%`;
  const [curve, setCurve] = useState<{ name: string; unit: string; h: History } | null>(null);
  const rows = span ? bars(span.alarms, Math.min(to, last)).filter((r) => r.until >= from) : [], w = world.value;
  const chosen = (device.value && w?.deviceById.get(device.value)) || w?.deviceById.get(rows.find((r) => r.alarm.point)?.alarm.device ?? "") || null;
  const kind = chosen ? w?.kinds.get(chosen.kind) : null, wanted = rows.find((r) => r.alarm.device === chosen?.id)?.alarm.point;
  const about = kind?.points.find((p) => `${chosen!.id}.${p.key}` === wanted && !p.states.length) ?? kind?.points.find((p) => !p.states.length) ?? kind?.points[0], point = chosen && about ? `${chosen.id}.${about.key}` : "";
  const stack = stacked(rows, 3, (to - from) * 0.014);
  useEffect(() => {
    let isHere = true;
    setCurve(null);
    if (point) api.history(point, from, to, Math.max(20, Math.round((to - from) / 15_000))).then((h) => { if (isHere) setCurve({ name: point, unit: about?.unit ?? "", h }); }, () => undefined);
    return () => { isHere = false; };
  }, [point, from, to]);
  const people = span?.people.n ?? [], here = people[Math.floor((at - from) / (to - from) * people.length)], ticks = Array.from({ length: 11 }, (_, k) => from + (to - from) * k / 10);
  const value = curve?.h.mean[Math.floor((at - from) / (to - from) * curve.h.mean.length)];
  const seek = (e: PointerEvent) => { const box = (e.currentTarget as HTMLElement).getBoundingClientRect(); ask({ at_ms: from + (e.clientX - box.left) / box.width * (to - from) }); };
  const lane = (label: string, note: string, inside: JSX.Element, high?: string) => <div class="lane"><b>{label}<small>{note}</small></b><div style={high ? { height: high } : undefined}>{inside}</div></div>;
  return (
    <section class="tracks" aria-label={say("replay.tracks")}>
      <div class="lane ticks"><b /><div>{ticks.map((t) => <span key={t} style={{ left: share(t) }}>{clock(t).slice(0, to - from > 600_000 ? 5 : 8)}</span>)}</div></div>
      {lane(say("alarms"), span ? String(rows.length) : "…", <>{stack.rows.flatMap((row, k) => row.map((r) => <button key={`${r.alarm.id}.${r.from}`} class={`bar p${r.alarm.priority}`} style={{ left: share(r.from), right: `calc(100% - ${share(r.until)})`, top: `${0.2 + 1.55 * k}rem` }} title={`${clock(r.from)} ${pick(r.alarm, "title")} · ${pick(r.alarm, "place")}`} onClick={() => ask({ at_ms: r.from })}><PriorityMark priority={r.alarm.priority} size={16} isHollow={r.isOver && r.until < at} /><span>{pick(r.alarm, "title")} · {pick(r.alarm, "place")}</span></button>))}{stack.left > 0 && <small class="more">{say("replay.more", { n: stack.left })}</small>}</>, `${Math.max(1, stack.rows.length) * 1.55 + 0.4}rem`)}
      {lane(say("replay.commands"), span ? String(span.commands.length) : "…", <>{heaps(span?.commands ?? [], (to - from) * 0.09).map((heap) => { const [c] = heap, at = c!.steps[0]![1], worst = heap.find((x) => SIGNS[x.state] === "✕") ?? c!; return <button key={c!.id} class="order" style={{ left: share(at) }} title={heap.map((x) => `${clock(x.steps[0]![1])} ${pick(x, "title")} ${x.device}: ${x.state}`).join("\n")} onClick={() => ask({ at_ms: at })}><i>{SIGNS[worst.state] ?? "·"}</i><span>{pick(worst, "title")}{heap.length > 1 ? ` +${heap.length - 1}` : ""}</span></button>; })}</>)}
      {lane(say("replay.people"), here ? say("replay.people.n", { n: here }) : "—", people.some((n) => n !== null) ? <svg viewBox="0 0 1000 40" preserveAspectRatio="none"><path d={path(people, true)} /></svg> : <em>{span ? say("replay.people.none") : ""}</em>)}
      {lane(say("replay.device"), value !== null && value !== undefined ? `${figure(value, 1)} ${curve?.unit ?? ""}` : "—", curve && curve.h.mean.some((v) => v !== null) ? <><svg viewBox="0 0 1000 40" preserveAspectRatio="none"><path d={path(curve.h.mean, false)} /></svg><em class="name">{curve.name}</em></> : <em>{say("replay.device.none")}</em>)}
      {lane(say("replay.marks"), String(marks.filter((m) => m.at_ms >= from && m.at_ms <= to).length), <>{marks.filter((m) => m.at_ms >= from && m.at_ms <= to).map((m, k) => <span key={m.id} class="mark" style={{ left: share(m.at_ms) }}><button title={`${clock(m.at_ms)} · ${m.by}`} onClick={() => ask({ at_ms: m.at_ms })}><i>{k + 1}</i>{m.text}</button><button class="x" aria-label={say("replay.mark.remove")} title={say("replay.mark.remove")} onClick={() => onRemove(m)}>×</button></span>)}</>)}
      {lane(say("replay.video"), "—", <em>{say("replay.video.none")}</em>, "1.7rem")}
      <div class="scrub" role="slider" tabIndex={0} aria-label={say("replay.scrub")} aria-valuemin={from} aria-valuemax={to} aria-valuenow={Math.round(at)} aria-valuetext={clock(at)} onPointerDown={(e) => { e.currentTarget.setPointerCapture(e.pointerId); seek(e); }} onPointerMove={(e) => { if (e.buttons) seek(e); }}>
        {kept !== null && kept >= from && kept <= to && <b class="kept" style={{ left: share(kept) }}><span>{say("replay.b")} {clock(kept)}</span></b>}<i class="past" style={{ left: share(at) }} /><b style={{ left: share(at) }}><span>{clock(at)}</span></b>
      </div>
    </section>
  );
}
