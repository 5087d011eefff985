/** How much of the floor is seen and reached, honestly: each figure with how it was made, blind pieces in the scene. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Shape, World } from "../../contract";
import { clock, day, figure } from "../format";
import { scene } from "../parts/scene";
import { token } from "../parts/chart";
import { goTo, placePath, world } from "../store";
import { lang, named, say, theme } from "../words";
import { type BlindAnswer, type CoverageAnswer, type CoverageRow, spatialApi } from "./api";
import { boxOf, pathOf, Plan } from "./plan";

/** A share in per cent; what is not whole never reads 100. */
const share = (part: number, whole: number): string => (whole > 0 ? `${figure((part / whole) * 100, part < whole && part / whole > 0.99 ? 1 : 0)}%` : "—");

export function CoveragePanel(): JSX.Element {
  void lang.value;
  const w = world.value, [found, setFound] = useState<CoverageAnswer | null>(null), [fault, setFault] = useState(""), [shows, setShows] = useState(true), [blind, setBlind] = useState<BlindAnswer | null>(null);
  useEffect(() => {
    let timer = 0, isGone = false;
    const ask = () => spatialApi.coverage().then((answer) => {
      if (isGone) return;
      setFault(answer.state === "failed" ? answer.fault : ""); setFound(answer);
      if (answer.state === "running") timer = window.setTimeout(ask, 700); else if (answer.state === "done") timer = window.setTimeout(ask, 30_000);
    }, (e: Error) => setFault(e.message));
    void ask();
    return () => { isGone = true; clearTimeout(timer); };
  }, []);
  const path = placePath.value, storey = path.find((n) => n.kind === "storey") ?? null, building = path.find((n) => n.kind === "building") ?? null;
  const node = storey?.i ?? (building ? 0 : 1), isDone = found?.state === "done";
  useEffect(() => { setBlind(null); if (isDone && node) spatialApi.blind(node).then(setBlind, () => setBlind(null)); }, [node, isDone]);
  useEffect(() => { scene?.setShapes("blind", shows && blind ? patches(blind) : null); return () => scene?.setShapes("blind", null); }, [blind, shows, theme.value]);
  if (!w) return <p class="empty">{say("loading")}</p>;
  if (fault) return <p class="why" role="alert">{say("coverage.failed")} {fault}</p>;
  if (!found || found.state !== "done") return <p class="empty" role="status">{say("coverage.running", { n: found?.done ?? 0, m: found?.total || "…" })}<progress value={found?.done ?? 0} max={found?.total || 1} /></p>;
  const below = (row: CoverageRow) => { for (let n = w.byIndex.get(row.node); n; n = w.byIndex.get(n.parent)) if (n.i === building?.i) return true; return false; };
  const rows = building ? found.rows.filter((r) => r.scope === "storey" && below(r)) : found.rows.filter((r) => r.scope !== "storey");
  const total = storey ? found.rows.find((r) => r.node === storey.i && r.scope === "storey") ?? null : building ? sum(rows) : sum(found.rows.filter((r) => r.scope === "zone"));
  const heading = storey ? named(storey) : building ? named(building) : say("coverage.indoors");
  return (
    <div class="coverage-panel">
      {total && <div class="shares"><h3>{heading}</h3>
        <Share name={say("coverage.seen")} part={total.seen_m2} whole={total.floor_m2} unit="m²" how={say(total.cameras && !total.assumed ? "coverage.how.headed" : "coverage.how.seen", { n: total.cameras, m: total.assumed })} />
        <Share name={say("coverage.reached")} part={total.reached_m2} whole={total.floor_m2} unit="m²" how={say("coverage.how.reached", { n: total.sensors })} />
        <Share name={say("coverage.online")} part={total.online} whole={total.devices} unit="" how={say("coverage.how.online", { at: clock(found.now_ms) })} />
        <Share name={say("coverage.answered")} part={total.answered} whole={total.rules} unit="" how={say("coverage.how.answered")} /></div>}
      {storey && !total && <p class="empty">{say("coverage.norooms")}</p>}
      <label class="check"><input type="checkbox" checked={shows} onChange={(e) => setShows(e.currentTarget.checked)} /><span>{say("coverage.blind")}{blind ? ` · ${say("coverage.pieces", { n: blind.pieces.length })}` : ""}</span></label>
      {storey && blind && <Plan w={w} storey={storey} box={boxOf(w, storey)} label={say("coverage.blind")}>{blind.pieces.map((piece, k) => <path key={k} class="blind" fill-rule="evenodd" d={piece.map((ring) => pathOf(ring, true)).join("")} />)}</Plan>}
      {building && !storey && <p class="note">{say("coverage.open")}</p>}
      <table class="cover"><thead><tr><th>{say(building ? "coverage.storey" : "coverage.zone")}</th><th>{say("coverage.floor")}</th><th>{say("coverage.seen.short")}</th><th>{say("coverage.reached.short")}</th><th>{say("coverage.online.short")}</th><th>{say("coverage.answered.short")}</th></tr></thead>
        <tbody>{rows.map((r) => { const n = w.byIndex.get(r.node); return <tr key={`${r.scope}${r.node}`} aria-selected={r.node === storey?.i} onClick={() => n && r.scope === "storey" && goTo(n.id)}><th>{r.scope === "outdoors" ? say("coverage.outdoors") : n ? named(n) : "—"}</th><td>{figure(r.floor_m2, 0)}</td><td>{share(r.seen_m2, r.floor_m2)}</td><td>{r.scope === "outdoors" ? "—" : share(r.reached_m2, r.floor_m2)}</td><td>{share(r.online, r.devices)}</td><td>{share(r.answered, r.rules)}</td></tr>; })}</tbody></table>
      <details class="note"><summary>{say("coverage.method", { at: `${day(found.time_ms)} ${clock(found.time_ms)}` })}</summary>
        <p>{say("coverage.method.text")}</p>
        <p>{found.optics.map((o) => `${named(o)} ${o.range_m} m / ${o.fov_deg}°`).join("；")}；{found.sense.map((s) => `${named(s)} R ${s.radius_m} m（${s.code}）`).join("；")}</p></details>
    </div>
  );
}

function Share({ name, part, whole, unit, how }: { name: string; part: number; whole: number; unit: string; how: string }): JSX.Element {
  return <div class="share"><span>{name}</span><b>{share(part, whole)}</b><small>{figure(part, 0)} / {figure(whole, 0)} {unit}</small><div class="bar"><i style={{ width: `${whole > 0 ? (part / whole) * 100 : 0}%` }} /></div><em>{how}</em></div>;
}

function sum(rows: CoverageRow[]): CoverageRow | null {
  if (!rows.length) return null;
  const keys = ["floor_m2", "seen_m2", "reached_m2", "cameras", "sensors", "assumed", "blind", "devices", "online", "rules", "answered"] as const, all = { ...rows[0]! };
  for (const k of keys) all[k] = rows.reduce((t, r) => t + r[k], 0);
  return all;
}

function patches(blind: BlindAnswer): Shape[] {
  const isDark = theme.value === "dark", ink = token(isDark ? "--text-3" : "--text-1"), edge = token("--text-3"), alpha = isDark ? 0.26 : 0.4;
  return blind.pieces.map(([ring, ...holes]) => ({ kind: "area", ring: ring!, holes, z: blind.z + (blind.node === 1 ? 0.4 : 0.15), fill: ink, alpha: blind.node === 1 ? alpha * 0.7 : alpha, edge, isHatched: true }));
}
