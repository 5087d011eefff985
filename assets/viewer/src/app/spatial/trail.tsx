/** Where one person or vehicle was: a period, a ribbon in the scene that fades with age, stays, and the storey's plan. */
import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { Shape, Track, World, Xyz } from "../../contract";
import { clock, figure, span } from "../format";
import { scene } from "../parts/scene";
import { token } from "../parts/chart";
import { goTo, placeNode, serverNow, world } from "../store";
import { lang, named, say, theme } from "../words";
import { spatialApi, type TrajectoryAnswer } from "./api";
import { inPark, instantOf } from "../parktime";
import { placeName } from "../placename";
import { boxOf, pathOf, Plan } from "./plan";
import { Contacts, Missing } from "./people";
import { open, trailOf } from "./state";

const MINUTE = 60_000, DAY = 1440 * MINUTE, SPANS: [string, number][] = [["5", 5 * MINUTE], ["15", 15 * MINUTE], ["60", 60 * MINUTE]], BANDS = 12;
type Part = "way" | "contacts" | "missing";
const PARTS: [Part, string][] = [["way", "trail.way"], ["contacts", "trail.contacts"], ["missing", "missing.tab"]];
const local = (ms: number): string => inPark(ms).toISOString().slice(0, 16);
const nameOf = (t: Track): string => `${named(t)} · ${t.id}`;

/** From pale to full: the newer, the stronger. Both colours are #rrggbb. */
function mixed(ink: string, ground: string, share: number): string {
  const part = (hex: string, k: number) => parseInt(hex.slice(1 + 2 * k, 3 + 2 * k), 16), to = 0.25 + 0.75 * share;
  return `rgb(${[0, 1, 2].map((k) => Math.round(part(ink, k) * to + part(ground, k) * (1 - to))).join(",")})`;
}

/** The pieces of a trajectory between silences, as index runs. */
export function legs(t: TrajectoryAnswer): [number, number][] {
  const runs: [number, number][] = [];
  for (let a = 0, k = 1; k <= t.leg.length; k++) if (k === t.leg.length || t.leg[k] !== t.leg[a]) { runs.push([a, k]); a = k; }
  return runs;
}

export function TrailPanel(): JSX.Element {
  void lang.value;
  const w = world.value, id = trailOf.value, track = w?.tracks.find((t) => t.id === id) ?? null;
  const [mins, setMins] = useState(SPANS[0]![1]), [own, setOwn] = useState<{ from: string; to: string } | null>(null), [found, setFound] = useState<TrajectoryAnswer | null>(null), [fault, setFault] = useState(""), [turn, setTurn] = useState(0), [part, setPart] = useState<Part>("way"), [raw, setRaw] = useState(false);
  useEffect(() => {
    setFound(null);
    if (!track || part !== "way") return;
    const to = own ? instantOf(own.to) : serverNow(), from = own ? instantOf(own.from) : to - mins;
    if (!(from < to && to - from <= DAY)) { setFault(say("trail.badrange")); return; }
    spatialApi.trajectory(track.id, from, to, raw).then((t) => { setFault(""); setFound(t); }, (e: Error) => setFault(e.message));
  }, [track, mins, own, turn, part, raw]);
  useEffect(() => { if (found) frame(found); }, [found && found.t.length > 0, track?.i]);
  useEffect(() => { scene?.setShapes("trail", found ? ribbon(found) : null); return () => scene?.setShapes("trail", null); }, [found, theme.value]);
  const floors = useMemo(() => (found ? floorsOf(found) : []), [found]), [floor, setFloor] = useState<number | null>(null);
  const shown = floor !== null && floors.includes(floor) ? floor : longest(found);
  if (!w) return <p class="empty">{say("loading")}</p>;
  return (
    <div class="trail-panel">
      <Choose w={w} track={track} />
      {track && <div class="pair" role="group" aria-label={say("trail.part")}>{PARTS.map(([k, word]) => <button key={k} aria-pressed={part === k} onClick={() => setPart(k)}>{say(word)}</button>)}</div>}
      {track && part !== "missing" && <div class="pair" role="group" aria-label={say("trail.period")}>{SPANS.map(([k, ms]) => <button key={k} aria-pressed={!own && mins === ms} onClick={() => { setOwn(null); setMins(ms); }}>{say(`trail.last.${k}`)}</button>)}
        <button aria-pressed={own !== null} onClick={() => setOwn(own ? null : { from: local(serverNow() - 30 * MINUTE), to: local(serverNow()) })}>{say("trail.range")}</button></div>}
      {own && part !== "missing" && <div class="when range"><label>{say("trail.from")}<input type="datetime-local" value={own.from} onChange={(e) => setOwn({ ...own, from: e.currentTarget.value })} /></label><label>{say("trail.to")}<input type="datetime-local" value={own.to} onChange={(e) => setOwn({ ...own, to: e.currentTarget.value })} /></label></div>}
      {fault && <p class="why" role="alert">{fault}</p>}
      {!track && <p class="empty">{say("trail.choose")}</p>}
      {track && part === "contacts" && <Contacts key={track.id} w={w} track={track} period={() => { const to = own ? instantOf(own.to) : serverNow(); return [own ? instantOf(own.from) : to - mins, to]; }} />}
      {track && part === "missing" && <Missing w={w} track={track} />}
      {found?.blurred && <p class="note hatched">{say("trail.blurred")}</p>}
      {found && found.t.length === 0 && <p class="empty">{say("trail.nothing")}</p>}
      {found && found.t.length > 0 && <>
        <dl class="facts"><div><dt>{say("trail.metres")}</dt><dd>{found.metres === null ? "—" : `${figure(found.metres, 0)} m`}</dd></div><div><dt>{say("trail.floors")}</dt><dd>{floors.length}</dd></div><div><dt>{say("trail.stays")}</dt><dd>{found.blurred ? "—" : found.stays.length}</dd></div><div><dt>{say("trail.time")}</dt><dd>{clock(found.t[0]!).slice(0, 5)}–{clock(found.t[found.t.length - 1]!).slice(0, 5)}</dd></div></dl>
        {!found.blurred && (found.spread_m > 0 || found.raw) && <label class="check"><input type="checkbox" checked={raw} onChange={(e) => setRaw(e.currentTarget.checked)} /><span>{say("trail.raw")}<small>{say(found.raw ? "trail.came" : "trail.steadied", { n: figure(found.spread_m, 1) })}</small></span></label>}
        {floors.length > 1 && <div class="pair floors" role="group" aria-label={say("trail.floors")}>{floors.map((f) => <button key={f} aria-pressed={f === shown} onClick={() => { setFloor(f); const n = w.byIndex.get(f); if (n) goTo(n.id); }}>{placeName(w, f)}</button>)}</div>}
        <FloorPlan w={w} found={found} floor={shown} />
        <h3>{say("trail.visits")}</h3>
        <ol class="visits">{found.visits.filter((v) => v.to_ms - v.from_ms >= 1000 || found.blurred).slice(-40).reverse().map((v) => <li key={v.from_ms}><button onClick={() => { const n = w.byIndex.get(v.node); if (n) goTo(n.id); }}><time>{clock(v.from_ms).slice(0, found.blurred ? 5 : 8)}</time><span>{placeName(w, v.node)}</span><small>{span(v.to_ms - v.from_ms)}</small></button></li>)}</ol>
        <p class="note">{say("trail.how")} <button class="link" onClick={() => setTurn(turn + 1)}>{say("trail.again")}</button></p></>}
    </div>
  );
}

/** The person or vehicle meant: typed, or clicked in the scene. */
function Choose({ w, track }: { w: World; track: Track | null }): JSX.Element {
  const [text, setText] = useState(""), words = text.toLowerCase().trim();
  const follow = (id: string) => { trailOf.value = id; setText(""); open("trail"); };
  const hits = words ? w.tracks.filter((t) => `${t.id} ${t.name} ${t.name_zh} ${t.role}`.toLowerCase().includes(words)).slice(0, 6) : [];
  return (
    <div class="choose"><label>{say("trail.who")}<input type="search" placeholder={track ? nameOf(track) : say("trail.search")} value={text} onInput={(e) => setText(e.currentTarget.value)} onKeyDown={(e) => { if (e.key === "Enter" && hits[0]) { follow(hits[0].id); } }} /></label>
      {hits.length > 0 && <ul>{hits.map((t) => <li key={t.i}><button onClick={() => { follow(t.id); }}>{nameOf(t)}<small>{say(`role.${t.role}`).startsWith("role.") ? t.role : say(`role.${t.role}`)}</small></button></li>)}</ul>}
      {words && hits.length === 0 && <p class="empty">{say("trail.nobody")}</p>}
      {track && !text && <p class="chosen"><b>{nameOf(track)}</b></p>}</div>
  );
}

function FloorPlan({ w, found, floor }: { w: World; found: TrajectoryAnswer; floor: number }): JSX.Element {
  const storey = w.byIndex.get(floor) ?? null, here = found.t.map((_, k) => k).filter((k) => found.storey[k] === floor);
  const box = boxOf(w, storey, here.map((k) => [found.xyz[k]![0], found.xyz[k]![1]])), unit = Math.max(box.x1 - box.x0, box.y1 - box.y0) / 100;
  const pieces: number[][] = [];
  for (const k of here) { const last = pieces[pieces.length - 1]; if (last && last[last.length - 1] === k - 1 && found.leg[k] === found.leg[k - 1]) last.push(k); else pieces.push([k]); }
  const at = (k: number): [number, number] => [found.xyz[k]![0], found.xyz[k]![1]], last = here[here.length - 1];
  return (
    <figure class="plan-figure"><figcaption>{placeName(w, floor)}</figcaption>
      <Plan w={w} storey={storey} box={box} label={say("trail.plan")}>
        {!found.blurred && pieces.map((piece) => <path key={piece[0]} class="way" d={pathOf(piece.map(at))} style={{ strokeWidth: unit * 0.8, opacity: 0.35 + (0.65 * piece[0]!) / found.t.length }} />)}
        {found.blurred && here.map((k) => <circle key={k} class="stay" cx={at(k)[0]} cy={-at(k)[1]} r={unit * 1.6} />)}
        {found.stays.filter((s) => s.storey === floor).map((s) => <g key={s.from_ms}><circle class="stay" cx={s.at[0]} cy={-s.at[1]} r={unit * 1.9} /><text x={s.at[0] + unit * 2.4} y={-s.at[1]} class="stay-text" style={{ fontSize: unit * 3 }}>{span(s.to_ms - s.from_ms)}</text></g>)}
        {last !== undefined && <circle class="now" cx={at(last)[0]} cy={-at(last)[1]} r={unit * 1.4} />}
      </Plan></figure>
  );
}

/** Looks at the whole of a trail from where one stands. */
function frame(found: TrajectoryAnswer): void {
  if (!scene || !found.t.length || placeNode.value?.kind !== "park") return;
  const xs = found.xyz.map((p) => p[0]), ys = found.xyz.map((p) => p[1]), wide = Math.hypot(Math.max(...xs) - Math.min(...xs), Math.max(...ys) - Math.min(...ys));
  const target: Xyz = [(Math.max(...xs) + Math.min(...xs)) / 2, (Math.max(...ys) + Math.min(...ys)) / 2, found.xyz[0]![2]];
  scene.setCamera({ ...scene.getCamera(), target, distance: Math.max(130, wide * 2.1), polar: 0.85 });
}

/** The storey most of the time was spent on. */
function longest(t: TrajectoryAnswer | null): number {
  const spent = new Map<number, number>();
  t?.t.forEach((at, k) => { if (k) spent.set(t.storey[k - 1]!, (spent.get(t.storey[k - 1]!) ?? 0) + (t.leg[k] === t.leg[k - 1] ? at - t.t[k - 1]! : 1)); });
  return [...spent].sort((a, b) => b[1] - a[1])[0]?.[0] ?? t?.storey[0] ?? 0;
}
const floorsOf = (t: TrajectoryAnswer): number[] => [...new Set(t.storey)];

function ribbon(found: TrajectoryAnswer): Shape[] {
  const ink = token("--accent"), ground = token("--surface-2"), shapes: Shape[] = [], n = Math.max(1, found.t.length - 1);
  if (!found.blurred) {
    for (const [a, b] of legs(found)) {
      const points = found.xyz.slice(a, b).map(([x, y, z]) => [x, y, z + 0.9] as Xyz);
      shapes.push({ kind: "path", points, colours: points.map((_, k) => mixed(ink, ground, Math.round(((a + k) / n) * BANDS) / BANDS)), width: 5 });
    }
  }
  for (const s of found.stays) shapes.push({ kind: "ring", at: [s.at[0], s.at[1], s.at[2] + 0.3], radius: 1.2 + Math.min(2, (s.to_ms - s.from_ms) / 600_000), colour: ink, width: 3 });
  if (found.blurred) for (const [x, y, z] of found.xyz) shapes.push({ kind: "ring", at: [x, y, z], radius: 2, colour: ink, width: 2 });
  return shapes;
}
