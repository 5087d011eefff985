/** The heatmap of any hour: a day, a slider, and the places below the one looked at in order of what they used. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { TreeNode, World } from "../../contract";
import { figure } from "../format";
import { dayOf, hourOf, instantOf, two } from "../parktime";
import { scene } from "../parts/scene";
import { channel, goTo, placeNode, placePath, serverNow, world } from "../store";
import { lang, named, say, theme } from "../words";
import { token } from "../parts/chart";
import { type HourPaint, spatialApi } from "./api";
import { HOUR_CHANNEL, hourShown, hourWords } from "./state";

const HOUR = 3_600_000, PEOPLE = 4, LADDER: Record<string, string> = { park: "building", building: "storey", storey: "space", space: "space" };

interface Row { node: TreeNode; value: number | null; energy: number | null; isEstimate: boolean }

/** The places one step below `here`, largest first; unknown ones last. */
export function ranked(w: World, here: TreeNode, hour: HourPaint): Row[] {
  const at = new Map(hour.nodes.map((n, k) => [n, k])), guessed = new Set(hour.estimated), kind = LADDER[here.kind] ?? "building";
  const root = here.kind === "space" ? w.byIndex.get(here.parent) ?? here : here;
  const models = new Set(w.park.buildings.map((b) => b.node));
  const rows = w.places.under(root.i, kind).filter((n) => kind !== "building" || models.has(n.i)).map((node) => {
    const k = at.get(node.i);
    return { node, value: k === undefined ? null : hour.values[k], energy: k === undefined ? null : hour.energy_kwh?.[k] ?? null, isEstimate: guessed.has(node.i) };
  });
  const size = (r: Row) => r.energy ?? r.value ?? -1;
  return rows.sort((a, b) => size(b) - size(a));
}

export function HoursPanel(): JSX.Element {
  void lang.value;
  const w = world.value, now = serverNow(), [day, setDay] = useState(() => dayOf(now)), [hour, setHour] = useState(() => hourOf(now));
  const [estimates, setEstimates] = useState(false), [found, setFound] = useState<HourPaint | null>(null), [fault, setFault] = useState(""), [isLoading, setLoading] = useState(false);
  const today = dayOf(now), last = day === today ? hourOf(now) : 23, asked = channel.value ?? 1;
  useEffect(() => {
    if (!w || Number.isNaN(instantOf(day))) return;
    const stop = new AbortController();
    setLoading(true);
    const wait = window.setTimeout(() => {
      spatialApi.hour(asked, instantOf(day) + Math.min(hour, last) * HOUR, instantOf(day), estimates, stop.signal).then((answer) => { setFault(""); setFound(answer); setLoading(false); show(w, answer); },
        (error: Error) => { if (error.name === "AbortError") return; setFault(error.message); setFound(null); setLoading(false); leave(); });
    }, 80);
    return () => { clearTimeout(wait); stop.abort(); };
  }, [w, day, hour, estimates, asked]);
  useEffect(() => leave, []);
  useEffect(() => { drawEstimates(w, found); return () => scene?.setShapes("estimates", null); }, [found, placeNode.value, theme.value]);
  const rows = w && found && placeNode.value ? ranked(w, placeNode.value, found) : [], known = rows.filter((r) => r.value !== null), most = Math.max(1e-9, ...known.map((r) => r.energy ?? r.value ?? 0));
  const step = (by: number) => setHour(Math.max(0, Math.min(last, hour + by)));
  return (
    <div class="hours-panel">
      <div class="when"><label>{say("hours.day")}<input type="date" max={today} value={day} onInput={(e) => e.currentTarget.value && setDay(e.currentTarget.value)} /></label>
        <button aria-label={say("hours.before")} onClick={() => step(-1)}>‹</button><output>{found ? hourWords({ fromMs: found.from_ms, toMs: found.to_ms }) : "—"}</output><button aria-label={say("hours.after")} onClick={() => step(1)}>›</button></div>
      <input class="hour" type="range" min={0} max={23} step={1} value={Math.min(hour, last)} aria-label={say("hours.slider")} aria-valuetext={`${two(hour)}:00`} onInput={(e) => setHour(Math.min(last, e.currentTarget.valueAsNumber))} list="hours-ticks" />
      <div class="hour-ticks" aria-hidden="true">{[0, 6, 12, 18, 23].map((h) => <span key={h} style={{ left: `${(h / 23) * 100}%` }}>{two(h)}</span>)}</div>
      {asked === 1 && <label class="check"><input type="checkbox" checked={estimates} onChange={(e) => setEstimates(e.currentTarget.checked)} /><span>{say("hours.estimates")}</span></label>}
      {fault && <p class="why" role="alert">{fault}</p>}
      {found && <>
        <h3>{placePath.value.length ? named(placePath.value[placePath.value.length - 1]) : ""} · {say(`hours.by.${LADDER[placeNode.value?.kind ?? "park"] ?? "building"}`)}<small>{found.energy_kwh ? "kWh" : found.unit}{found.energy_kwh ? ` · ${found.unit}` : ""}</small></h3>
        <ol class="ranks" aria-busy={isLoading}>{known.map((r) => <li key={r.node.id}><button onClick={() => goTo(r.node.id)}><span>{named(r.node)}{r.isEstimate && <em>{say("hours.estimate")}</em>}</span><b>{figure(r.energy ?? r.value, r.energy !== null && r.energy < 10 ? 2 : 1)}</b><small>{r.energy === null ? "" : figure(r.value, 1)}</small><i class={r.isEstimate ? "guess" : ""} style={{ width: `${((r.energy ?? r.value ?? 0) / most) * 100}%` }} /></button></li>)}</ol>
        {known.length === 0 && <p class="empty">{say("hours.none")}</p>}
        {rows.length > known.length && <p class="note hatched">{say("hours.unmetered", { n: rows.length - known.length })}</p>}
        <p class="note">{say(found.energy_kwh ? "hours.how.energy" : found.channel === PEOPLE ? "hours.how.people" : "hours.how")}</p></>}
      {!found && !fault && <p class="empty">{say("hours.loading")}</p>}
    </div>
  );
}

function show(w: World, hour: HourPaint): void {
  const size = hour.nodes.reduce((most, n) => Math.max(most, n), w.places.highest) + 1, column = new Float32Array(size).fill(NaN);
  hour.nodes.forEach((n, k) => { const v = hour.values[k]; if (v !== null) column[n] = v; });
  w.live.overlay.set(HOUR_CHANNEL, column);
  hourShown.value = { fromMs: hour.from_ms, toMs: hour.to_ms };
  scene?.liveChanged(null);
}
function leave(): void { hourShown.value = null; }

/** Rooms whose value is an estimate are hatched where a storey lies open. */
function drawEstimates(w: World | null, hour: HourPaint | null): void {
  const storey = placePath.value.find((n) => n.kind === "storey");
  if (!w || !hour || !storey || !hour.estimated.length) { scene?.setShapes("estimates", null); return; }
  const guessed = new Set(hour.estimated), ink = token("--text-1");
  scene?.setShapes("estimates", w.rooms.of(storey.i).filter((s) => guessed.has(s.i)).map((s) => ({ kind: "area", ring: s.ring, z: s.z0 + 0.12, fill: ink, alpha: 0.35, isHatched: true })));
}
