/** Energy of a place: today beside what was expected, the meter tree with its losses, who uses most a square metre. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { figure } from "../format";
import { hourOf, midnightOf, two } from "../parktime";
import { Chart, token } from "../parts/chart";
import { goTo, placeNode, serverNow, world } from "../store";
import { lang, named, say } from "../words";
import { type EnergyOverview, type ExpectedAnswer, type RankRow, type SupplyRow, spatialApi, type UseAnswer } from "./api";

const HOUR = 3_600_000, DAY = 24 * HOUR, SPANS = { today: 1, week: 7, month: 30 } as const, LADDER: Record<string, string> = { park: "building", zone: "building", building: "storey", storey: "space", space: "space" };
type Span = keyof typeof SPANS;
interface Found { use: UseAnswer; expected: ExpectedAnswer; tree: SupplyRow[]; ranks: RankRow[] }

/** Below this the record repeats itself (a simulated one does), and an error says nothing. */
const SAME_EVERY_WEEK = 0.005;

export function MetersPanel(): JSX.Element {
  void lang.value;
  const here = placeNode.value, place = here?.id ?? "park";
  const [overview, setOverview] = useState<EnergyOverview | null>(null), [medium, setMedium] = useState(""), [span, setSpan] = useState<Span>("today"), [tenants, setTenants] = useState(false);
  const [found, setFound] = useState<Found | null>(null), [fault, setFault] = useState("");
  useEffect(() => { spatialApi.energy().then((answer) => { setOverview(answer); setMedium((m) => m || answer.media[0]?.key || ""); }, (e: Error) => setFault(e.message)); }, []);
  useEffect(() => {
    if (!medium) return;
    let isGone = false;
    const ask = () => {
      const now = serverNow(), today = midnightOf(now), from = midnightOf(today - (SPANS[span] - 1) * DAY), scope = tenants ? "tenant" : LADDER[here?.kind ?? "park"] ?? "building";
      Promise.all([spatialApi.use(place, medium, today, now), spatialApi.expected(place, medium, now), spatialApi.meterTree(medium, from, now), spatialApi.energyRanking(medium, scope, from, now)])
        .then(([use, expected, tree, ranks]) => { if (!isGone) { setFault(""); setFound({ use, expected, tree: tree.supplies, ranks: ranks.rows }); } }, (e: Error) => { if (!isGone) setFault(e.message); });
    };
    ask();
    const timer = window.setInterval(ask, 120_000);
    return () => { isGone = true; clearInterval(timer); };
  }, [medium, span, place, tenants]);
  const w = world.value, of = overview?.media.find((m) => m.key === medium);
  if (fault && !found) return <p class="why" role="alert">{fault}</p>;
  if (!overview || !w) return <p class="empty" role="status">{say("loading")}</p>;
  if (!of) return <p class="empty">{say("meters.none")}</p>;
  const isBelow = (node: number) => { for (let n = w.byIndex.get(node); n; n = w.byIndex.get(n.parent)) if (n.i === here?.i) return true; return !here || here.kind === "park"; };
  const tree = found ? cut(found.tree.filter((row) => row.node && isBelow(row.node))) : [], ranks = found?.ranks.filter((r) => tenants || isBelow(r.node)).slice(0, 12) ?? [];
  const used = sumOf(found?.use.use), made = sumOf(found?.use.made), most = Math.max(1e-9, ...ranks.map((r) => r.intensity ?? 0)), top = Math.max(1e-9, ...tree.map(({ row }) => row.used ?? 0));
  return (
    <div class="meters-panel">
      <div class="pair" role="group" aria-label={say("meters.medium")}>{overview.media.map((m) => <button key={m.key} aria-pressed={m.key === medium} onClick={() => setMedium(m.key)}>{named(m)}</button>)}</div>
      {fault && <p class="why" role="alert">{fault}</p>}
      {!found ? <p class="empty" role="status">{say("meters.loading")}</p> : <>
        <h3>{here ? named(here) : ""} · {say("meters.today")}<small>{figure(used, 0)} {of.unit}{found.use.area && used !== null ? ` · ${figure(used / found.use.area, 3)} ${of.unit}/m²` : ""}</small></h3>
        {found.use.how === "none" ? <p class="empty">{say("meters.unmetered")}</p> : <><Today found={found} unit={of.unit} /><p class="key">{say(`meters.how.${found.use.how}`)}{made !== null && <span>{say("meters.made", { n: figure(made, 0), unit: of.unit })}</span>}</p></>}
        {!found.expected.expected && <p class="note">{overview.days < overview.days_needed ? say("meters.toolittle", { n: overview.days, m: overview.days_needed }) : say("meters.notyet")}</p>}
        {found.expected.expected && found.expected.error !== null && <p class="note">{(found.expected.naive_error ?? 1) < SAME_EVERY_WEEK ? say("meters.repeats") : say("meters.error", { n: figure(found.expected.error! * 100, 0), m: figure((found.expected.naive_error ?? NaN) * 100, 0) })}</p>}
        <div class="pair" role="group" aria-label={say("meters.span")}>{(Object.keys(SPANS) as Span[]).map((s) => <button key={s} aria-pressed={s === span} onClick={() => setSpan(s)}>{say(`meters.span.${s}`)}</button>)}</div>
        <h3>{say("meters.tree")}<small>{of.unit} · {say("meters.lost")}</small></h3>
        {tree.length ? <ol class="tree">{tree.map(({ row, depth, more }) => <Supply key={row.i} row={row} depth={depth} more={more} top={top} />)}</ol> : <p class="empty">{say("meters.notree")}</p>}
        <h3>{say("meters.ranking")}<small>{of.unit}/m²</small></h3>
        {overview.tenants.length > 0 && <label class="check"><input type="checkbox" checked={tenants} onChange={(e) => setTenants(e.currentTarget.checked)} /><span>{say("meters.tenants")}</span></label>}
        <ol class="ranks">{ranks.map((r) => <li key={r.place}><button onClick={() => { const n = w.byIndex.get(r.node); if (n) goTo(n.id); }}><span>{named(r)}{r.how === "share" && <em>{say("hours.estimate")}</em>}{!r.whole && <em>{say("meters.partly")}</em>}</span><b>{figure(r.intensity, 3)}</b><small>{figure(r.used, 0)}</small><i class={r.how === "share" ? "guess" : ""} style={{ width: `${((r.intensity ?? 0) / most) * 100}%` }} /></button></li>)}</ol>
        {ranks.length === 0 && <p class="empty">{say("meters.noranks")}</p>}
        <p class="note">{say("meters.how.losses")}</p>
        {overview.findings.length > 0 && <details><summary>{say("meters.findings", { n: overview.findings.length })}</summary><ul>{overview.findings.map((f) => <li key={f.what + f.where}>{f.where}: {f.what}; {f.mend}</li>)}</ul></details>}</>}
    </div>
  );
}

/** The sum of what is known; null where nothing is. */
const sumOf = (values: (number | null)[] | undefined): number | null => values?.reduce((sum, v) => (v === null ? sum : (sum ?? 0) + v), null) ?? null;

/** The supplies of a place, two steps deep, each behind its parent; `more`: how many lie deeper. */
function cut(rows: SupplyRow[]): { row: SupplyRow; depth: number; more: number }[] {
  const known = new Set(rows.map((r) => r.i)), below = new Map<number, SupplyRow[]>(), out: { row: SupplyRow; depth: number; more: number }[] = [];
  for (const row of rows) { const up = known.has(row.parent) ? row.parent : -1; below.set(up, [...(below.get(up) ?? []), row]); }
  const walk = (up: number, depth: number) => {
    for (const row of (below.get(up) ?? []).sort((a, b) => (b.used ?? -1) - (a.used ?? -1))) {
      out.push({ row, depth, more: depth === 1 ? (below.get(row.i) ?? []).length : 0 });
      if (depth < 1) walk(row.i, depth + 1);
    }
  };
  walk(-1, 0);
  return out;
}

function Supply({ row, depth, more, top }: { row: SupplyRow; depth: number; more: number; top: number }): JSX.Element {
  const node = world.value?.byIndex.get(row.node), name = node ? named(node) : row.meters.join(" + ");
  const told = row.state === "leaf" ? "" : row.lost === null ? "—" : `${figure(row.lost, 0)} · ${figure((row.share ?? NaN) * 100, 1)}%`;
  const why = row.silent.length ? say("meters.silent", { who: row.silent.slice(0, 5).join(", ") }) : [row.meters.join(" + "), ...(row.made ? [say("meters.made.in", { n: figure(row.made, 0) })] : [])].join(" · ");
  return (
    <li class={row.state} style={{ paddingLeft: `${depth * 0.9}rem` }} title={why}>
      <button onClick={() => node && goTo(node.id)}><span>{name}{more > 0 && <small> +{more}</small>}{(row.state === "uncertain" || row.state === "over") && <em title={say(`meters.${row.state}`)}>{row.state === "over" ? say("meters.over") : "≈"}</em>}</span><b>{figure(row.used, 0)}</b><small>{told}</small>
        <i style={{ width: `${((row.used ?? 0) / top) * 100}%` }} /></button>
    </li>
  );
}

function Today({ found, unit }: { found: Found; unit: string }): JSX.Element {
  const { use, expected } = found, start = midnightOf(serverNow()), first = Math.round((start - (expected.start_ms ?? start)) / HOUR);
  const at = (values: (number | null)[] | undefined) => Array.from({ length: 24 }, (_, k) => [start + (k + 0.5) * HOUR, values?.[first + k] ?? null]);
  const low = at(expected.low), high = at(expected.high);
  const option = () => ({
    grid: { left: 44, right: 8, top: 8, bottom: 22 },
    tooltip: { trigger: "axis", renderMode: "richText", formatter: (rows: { seriesName: string; value: [number, number | null]; seriesId: string }[]) => [`${two(hourOf(rows[0]!.value[0]))}:00`, ...rows.filter((r) => !r.seriesId.startsWith("band") && r.value[1] !== null).map((r) => `${r.seriesName} ${figure(r.value[1], 1)} ${unit}`)].join("\n") },
    xAxis: { type: "time", min: start, max: start + DAY, axisLabel: { formatter: (t: number) => two(hourOf(t)), color: token("--text-3"), hideOverlap: true }, axisLine: { lineStyle: { color: token("--line-2") } }, splitLine: { show: false } },
    yAxis: { type: "value", axisLabel: { color: token("--text-3") }, splitLine: { lineStyle: { color: token("--line-1") } } },
    series: [
      { id: "band-low", name: "", type: "line", stack: "band", symbol: "none", lineStyle: { opacity: 0 }, data: low },
      { id: "band", name: "", type: "line", stack: "band", symbol: "none", lineStyle: { opacity: 0 }, areaStyle: { color: token("--c-band") }, data: high.map(([t, v], k) => [t, v === null || v === undefined ? null : (v as number) - (low[k]![1] as number)]) },
      { id: "use", name: say("meters.use"), type: "bar", barMaxWidth: 9, itemStyle: { color: token("--e5") }, data: use.t.map((t, k) => [t + 0.5 * HOUR, use.use[k]]) },
      { id: "usual", name: say("meters.usual"), type: "line", symbol: "none", lineStyle: { type: "dashed", color: token("--c-ref"), width: 1.3 }, data: at(expected.usual) },
      { id: "expected", name: say("meters.expected"), type: "line", symbol: "none", lineStyle: { color: token("--c-now"), width: 1.6 }, data: at(expected.expected ?? undefined) },
    ],
  });
  return <><p class="key"><i class="solid e5" />{say("meters.use")}{expected.expected && <><i class="solid" />{say("meters.expected")}<i class="dash" />{say("meters.usual")}<i class="band" />{say("meters.band")}</>}</p><Chart option={option} label={say("meters.today")} /></>;
}
