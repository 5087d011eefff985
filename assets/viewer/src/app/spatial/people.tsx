/** Who was near somebody, and where somebody may be who fell silent: the other two faces of a trail. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Shape, Track, World, Xyz } from "../../contract";
import { clock, day, figure, span } from "../format";
import { scene } from "../parts/scene";
import { token } from "../parts/chart";
import { goTo, me, serverNow } from "../store";
import { named, say, theme } from "../words";
import { type ContactRow, type SearchAnswer, spatialApi } from "./api";
import { boxOf, pathOf, Plan } from "./plan";

import { placeName } from "../placename";

const SPEEDS: [string, number][] = [["slow", 0.8], ["usual", 1.4], ["fast", 2.5]], AGAIN_MS = 15_000;
const mayFollow = (): boolean => me.value !== null && me.value.role !== "viewer";

export function Contacts({ w, track, period }: { w: World; track: Track; period: () => [number, number] }): JSX.Element {
  const [metres, setMetres] = useState(2), [mins, setMins] = useState(1), [rows, setRows] = useState<ContactRow[] | null>(null), [fault, setFault] = useState(""), [isBusy, setBusy] = useState(false);
  useEffect(() => { scene?.setShapes("contacts", rows ? rows.slice(0, 100).map((c) => ({ kind: "ring", at: [c.at[0], c.at[1], c.at[2] + 0.3], radius: 1.4, colour: token("--accent"), width: 3 }) as Shape) : null); return () => scene?.setShapes("contacts", null); }, [rows, theme.value]);
  if (!mayFollow()) return <p class="note hatched">{say("contacts.role")}</p>;
  const find = () => { setBusy(true); const [from, to] = period(); spatialApi.contacts(track.id, from, to, metres, mins * 60).then((a) => { setFault(""); setRows(a.contacts); }, (e: Error) => setFault(e.message)).finally(() => setBusy(false)); };
  return (
    <form class="draw" onSubmit={(e) => { e.preventDefault(); find(); }}>
      <div class="grid2"><label>{say("contacts.metres")}<input type="number" min="0.5" max="50" step="0.5" value={metres} onInput={(e) => setMetres(Number(e.currentTarget.value))} /></label>
        <label>{say("contacts.secs")}<input type="number" min="0" max="1440" step="0.5" value={mins} onInput={(e) => setMins(Number(e.currentTarget.value))} /></label></div>
      <button type="submit" disabled={isBusy}>{say("contacts.find")}</button>
      {fault && <p class="why" role="alert">{fault}</p>}
      {rows && rows.length === 0 && <p class="empty">{say("contacts.none")}</p>}
      {rows && rows.length > 0 && <ol class="visits contacts">{rows.map((c) => <li key={`${c.track.i}.${c.from_ms}`}><button type="button" onClick={() => { const n = w.byIndex.get(c.node); if (n) goTo(n.id); }}><time>{clock(c.from_ms).slice(0, 8)}</time><span><b>{named(c.track)}</b> · {placeName(w, c.node)}</span><small>{span(c.secs * 1000)} · {say("contacts.closest", { n: figure(c.closest_m, 1) })}</small></button></li>)}</ol>}
      <p class="note">{say("contacts.how")}</p>
    </form>
  );
}

export function Missing({ w, track }: { w: World; track: Track }): JSX.Element {
  const [speed, setSpeed] = useState(1.4), [found, setFound] = useState<SearchAnswer | null>(null), [fault, setFault] = useState(""), [floor, setFloor] = useState<number | null>(null);
  const may = mayFollow();
  useEffect(() => {
    setFound(null);
    if (!may) return;
    let isGone = false;
    const ask = () => spatialApi.search(track.id, serverNow(), speed).then((a) => { if (!isGone) { setFault(""); setFound(a); } }, (e: Error) => { if (!isGone) setFault(e.message); });
    void ask();
    const timer = setInterval(() => void ask(), AGAIN_MS);
    return () => { isGone = true; clearInterval(timer); };
  }, [track, speed, may]);
  useEffect(() => { scene?.setShapes("missing", found ? reach(found) : null); return () => scene?.setShapes("missing", null); }, [found, theme.value]);
  useEffect(() => {
    if (!found || !scene) return;
    const storey = w.byIndex.get(found.last.storey);
    if (storey && found.levels.length <= 3) { goTo(storey.id); return; }
    const [x, y, z] = found.last.at; scene.setCamera({ ...scene.getCamera(), target: [x, y, z] as Xyz, distance: Math.max(90, Math.min(900, found.metres * 2.4)), polar: 0.75 });
  }, [found !== null, track.i]);
  if (!may) return <p class="note hatched">{say("missing.role")}</p>;
  if (fault) return <p class="why" role="alert">{fault}</p>;
  if (!found) return <p class="empty" role="status">{say("loading")}</p>;
  const shown = found.levels.find((l) => l.storey === floor) ?? found.levels.find((l) => l.storey === found.last.storey) ?? found.levels[0] ?? null, storey = shown ? w.byIndex.get(shown.storey) ?? null : null;
  const go = (node: number) => { const n = w.byIndex.get(node); if (n) goTo(n.id); };
  return (
    <div class="missing">
      <dl class="facts"><div><dt>{say("missing.last")}</dt><dd>{day(found.seen_ms).slice(5)} {clock(found.seen_ms)}</dd></div><div><dt>{say("missing.rooms")}</dt><dd>{found.counts.rooms}</dd></div><div><dt>{say("missing.doors")}</dt><dd>{found.counts.doors}</dd></div><div><dt>{say("missing.exits")}</dt><dd>{found.counts.exits}</dd></div></dl>
      <p><button class="link" onClick={() => go(found.last.node)}>{placeName(w, found.last.node)}</button> · {found.silent_secs < 15 ? say("missing.here") : `${say("missing.silent", { span: span(found.silent_secs * 1000) })} · ${say("missing.reach", { n: figure(found.metres, 0) })}`}</p>
      <div class="pair" role="group" aria-label={say("missing.speed")}>{SPEEDS.map(([k, v]) => <button key={k} aria-pressed={speed === v} onClick={() => setSpeed(v)}>{say(`missing.${k}`)} {figure(v, 1)} m/s</button>)}</div>
      {found.levels.length > 1 && <label>{say("missing.area")}<select value={String(shown?.storey ?? 0)} onChange={(e) => { const f = Number(e.currentTarget.value); setFloor(f); if (f) go(f); }}>{found.levels.map((l) => <option key={l.storey} value={l.storey}>{placeName(w, l.storey)} · {figure(l.area_m2, 0)} m²</option>)}</select></label>}
      {shown ? <figure class="plan-figure"><figcaption>{placeName(w, shown.storey)}</figcaption><Plan w={w} storey={storey} box={boxOf(w, storey, shown.parts.flatMap((p) => p[0]!))} label={say("missing.area")}>
        {shown.parts.map((part, k) => <path key={k} class="drawn" fill-rule="evenodd" d={part.map((ring) => pathOf(ring, true)).join("")} />)}
        {found.last.storey === shown.storey && <circle class="now" cx={found.last.at[0]} cy={-found.last.at[1]} r={1.2} />}</Plan></figure> : <p class="empty">{say("missing.none")}</p>}
      <h3>{say("missing.cameras")}<small>{found.counts.cameras}</small></h3>
      {found.cameras.length ? <ol class="visits">{found.cameras.slice(0, 30).map((c) => <li key={c.id}><button class="two" onClick={() => goTo(c.id)}><span>{named(c)}</span><small>{c.storey ? named(w.byIndex.get(c.storey)!) : say("outdoors")}</small></button></li>)}</ol> : <p class="empty">{say("missing.nocameras")}</p>}
      {found.doors.length > 0 && <><h3>{say("missing.doors")}<small>{found.counts.doors}</small></h3>
        <ol class="visits">{found.doors.slice(0, 30).map((d) => <li key={d.node}><button onClick={() => go(d.storey)}><time>{clock(found.seen_ms + d.secs * 1000)}</time><span>{named(d)} · {placeName(w, d.storey)}</span><small>{figure(d.metres, 0)} m</small></button></li>)}</ol></>}
      <p class="note">{say("missing.how")}</p>
    </div>
  );
}

function reach(found: SearchAnswer): Shape[] {
  const ink = token("--accent"), shapes: Shape[] = [];
  for (const level of found.levels) for (const [ring, ...holes] of level.parts) shapes.push({ kind: "area", ring: ring!, holes, z: level.z + (level.storey ? 0.2 : 0.6), fill: ink, alpha: 0.28, edge: ink });
  const [x, y, z] = found.last.at;
  shapes.push({ kind: "ring", at: [x, y, z + 0.4], radius: 2, colour: ink, width: 4 });
  return shapes;
}

