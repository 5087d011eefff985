/** The columns and the data-age bar of the wall. Nothing here is a number nobody measured. */
import type { JSX } from "preact";
import { figure, span } from "./format";
import { PriorityMark } from "./parts/icons";
import { Spark } from "./parts/chart";
import { activeAlarms, kpis, seconds, serverNow, world } from "./store";
import type { Canvas } from "./wall_layout";
import { wall } from "./wall_state";
import { lang, named, pick, say } from "./words";

const MOST_CELLS = 12;

/** The first two figures of the park that are known: people, then power; else whatever the park has. */
export function Figures(): JSX.Element {
  const cards = kpis.value.get("park") ?? [], find = (key: string) => cards.find((c) => c.key === key);
  const two = [...new Set([find("people"), find("power"), ...cards])].filter((c) => c !== undefined).slice(0, 2);
  if (!two.length) return <p class="none">{say("wall.figures.none")}</p>;
  return <>{two.map((c) => (
    <article key={c.key} data-whole="flow" class={c.stale ? "stale" : ""}><h2>{pick(c, "name")}</h2><p class="figure">{figure(c.value, c.digits)}<small>{c.unit}</small></p>
      <div class="spark"><Spark now={c.trend} reference={c.trend_reference} /></div><p class="note">{pick(c, "note")}</p></article>))}</>;
}

/** Active alarms by priority, and devices online. */
export function AlarmCounts(): JSX.Element {
  void (lang.value, seconds.value);
  const w = world.value!, live = w.live;
  let online = 0, told = 0;
  for (const d of w.devices) {
    const n = w.kinds.get(d.kind)?.points.length ?? 0;
    if (!n) continue;
    told++;
    for (let k = 0; k < n; k++) if (live.quality[d.slot + k]! <= 1) { online++; break; }
  }
  const card = kpis.value.get("park")?.find((c) => c.key === "online"), share = card ? card.value : told ? Math.floor((online / told) * 1000) / 10 : null;
  return (
    <>
      <article data-whole="flow"><h2>{say("wall.active")}</h2><ul class="counts">{[1, 2, 3, 4].map((p) => { const n = activeAlarms.value.filter((a) => a.priority === p).length; return <li key={p} class={n ? "" : "zero"}><PriorityMark priority={p} size={14} isHollow={!n} /><b>P{p}</b><span>{say(`wall.p${p}`)}</span><em>{n}</em></li>; })}</ul></article>
      <article data-whole="flow"><h2>{say("wall.online")}</h2><p class="figure">{figure(share, 1)}<small>%</small></p>{!card && <p class="note">{say("wall.online.of", { n: figure(online, 0), m: figure(told, 0), k: figure(told - online, 0) })}</p>}</article>
    </>
  );
}

/** Where the tour is: its view, how far, what comes next; or why it does not go on. */
export function Progress(): JSX.Element | null {
  void (seconds.value, lang.value);
  const state = wall.value, now = serverNow();
  if (!state) return <div class="tour" data-whole="free">{say("wall.none")}</div>;
  const n = state.stops.length, stop = state.stops[state.at];
  if (state.mode === "alarm") {
    const left = state.resumes_ms - now;
    return <div class="tour" role="status" data-whole="free"><b>{say("wall.paused")}</b><span>{n ? `${say("wall.held", { k: state.at + 1, n })} · ` : ""}{state.resumes_ms ? say("wall.resumes", { span: span(left) }) : say("wall.leader")}</span></div>;
  }
  if (state.mode === "manual") return <div class="tour" role="status" data-whole="free"><b>{say("wall.manual")}</b><span>{nameOf(state.node)} · {state.by}</span></div>;
  if (!stop) return <div class="tour" role="status" data-whole="free">{say("wall.empty")}</div>;
  const ran = state.mode === "paused" ? state.held_ms : now - state.started_ms, share = Math.min(1, Math.max(0, ran / (stop.seconds * 1000)));
  let next = (state.at + 1) % n;
  for (let k = 1; k < n && state.missing.includes(next); k++) next = (next + 1) % n;
  const isAlone = next === state.at || state.missing.includes(next);
  return (
    <div class="tour" data-whole="free">
      <span>{state.mode === "paused" ? say("wall.paused") : say("wall.tour")} <b>{state.at + 1} / {n}</b> <b>{named(stop)}</b></span>
      {state.mode === "tour" && !isAlone && <span class="next">{say("wall.next")} {named(state.stops[next]!)} {Math.max(0, Math.ceil(stop.seconds - ran / 1000))} s</span>}
      <div class="bar">{state.stops.map((_, k) => <i key={k} class={state.missing.includes(k) ? "gone" : ""}><i style={{ width: `${state.missing.includes(k) ? 0 : k < state.at ? 100 : k === state.at ? share * 100 : 0}%` }} /></i>)}</div>
    </div>
  );
}
function nameOf(id: string): string {
  const w = world.value, thing = w?.byId.get(id) ?? w?.deviceById.get(id);
  return thing ? named(thing) : id;
}

/** One cell a source: how old its newest value is against its period, in thirds of three periods. */
export function Sources({ screens }: { screens: Canvas["screens"] }): JSX.Element {
  void (seconds.value, lang.value);
  const w = world.value!, live = w.live, packs = new Map<string, { ageMs: number; period: number }>();
  for (const d of w.devices) {
    const kind = w.kinds.get(d.kind);
    kind?.points.forEach((p, k) => {
      const slot = d.slot + k, row = packs.get(kind.pack) ?? { ageMs: Infinity, period: p.period };
      if (live.quality[slot] !== 4) { const ms = live.ageMs[slot]! + performance.now() - live.receivedMs[slot]!; if (ms < row.ageMs) { row.ageMs = ms; row.period = p.period; } }
      packs.set(kind.pack, row);
    });
  }
  const rows = [...packs].map(([id, r]) => ({ id, ...r, thirds: r.ageMs / (r.period * 1000) })).sort((a, b) => Number(b.thirds > 3) - Number(a.thirds > 3)).slice(0, MOST_CELLS);
  const each = Math.ceil(rows.length / screens.length);
  return (
    <footer class="sources">{screens.map((screen, k) => (
      <div key={k} class="screen" style={{ left: `${screen.left}px`, width: `${screen.width}px` }}>{rows.slice(k * each, (k + 1) * each).map((r) => <Source key={r.id} {...r} />)}</div>))}</footer>
  );
}

/** An age in as few signs as a narrow cell has. */
function briefly(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  return ms < 3_600_000 ? `${Math.floor(ms / 60_000)} min` : `${(ms / 3_600_000).toFixed(1)} h`;
}

function Source({ id, ageMs, period, thirds }: { id: string; ageMs: number; period: number; thirds: number }): JSX.Element {
  const isOld = thirds > 3, word = say(`wall.pack.${id}`);
  return (
    <div class={`source${isOld ? " old" : ""}`}>
      <p><b>{word === `wall.pack.${id}` ? id : word}</b><span>{Number.isFinite(ageMs) ? briefly(ageMs) : say("wall.never")}</span></p>
      <div class="thirds"><i style={{ width: `${Math.min(100, (thirds / 3) * 100)}%` }} /></div>
      <p><span>{say("wall.period", { n: period })}</span>{isOld && Number.isFinite(ageMs) && <span>{say("wall.old")}</span>}</p>
    </div>
  );
}
