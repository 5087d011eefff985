/** The columns and the data-age bar of the wall. Nothing here is a number nobody measured. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type Alarm } from "./api";
import { age, clock, figure, span } from "./format";
import { incidentApi, incidentOf } from "./incident/state";
import { PriorityMark } from "./parts/icons";
import { Spark } from "./parts/chart";
import { activeAlarms, kpis, seconds, serverNow, valuesTick, world } from "./store";
import { lang, named, pick, say } from "./words";

const MOST_CELLS = 12;

/** The first two figures of the park that are known: people, then power; else whatever the park has. */
export function Figures(): JSX.Element {
  const cards = kpis.value.get("park") ?? [], find = (key: string) => cards.find((c) => c.key === key);
  const two = [...new Set([find("people"), find("power"), ...cards])].filter((c) => c !== undefined).slice(0, 2);
  if (!two.length) return <p class="none">{say("wall.figures.none")}</p>;
  return <>{two.map((c) => (
    <article key={c.key} class={c.stale ? "stale" : ""}><h2>{pick(c, "name")}</h2><p class="figure">{figure(c.value, c.digits)}<small>{c.unit}</small></p>
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
      <article><h2>{say("wall.active")}</h2><ul class="counts">{[1, 2, 3, 4].map((p) => { const n = activeAlarms.value.filter((a) => a.priority === p).length; return <li key={p} class={n ? "" : "zero"}><PriorityMark priority={p} size={14} isHollow={!n} /><b>P{p}</b><span>{say(`wall.p${p}`)}</span><em>{n}</em></li>; })}</ul></article>
      <article><h2>{say("wall.online")}</h2><p class="figure">{figure(share, 1)}<small>%</small></p>{!card && <p class="note">{say("wall.online.of", { n: figure(online, 0), m: figure(told, 0), k: figure(told - online, 0) })}</p>}</article>
    </>
  );
}

/** What, where, how long, and who is still there by positioning. */
export function AlarmWords({ alarm, isOnly }: { alarm: Alarm; isOnly: boolean }): JSX.Element {
  void (lang.value, seconds.value);
  const people = peopleNear(alarm);
  return (
    <article class="alarm-words">
      <h2><PriorityMark priority={alarm.priority} size={48} />{pick(alarm, "title")}</h2>
      <h3>{pick(alarm, "place") || say("outdoors")}</h3>
      <p class="note">{alarm.device}{alarm.value !== null && alarm.unit ? ` · ${figure(alarm.value, 1)} ${alarm.unit}` : ""}</p>
      <p class="lasting">{say("wall.lasting")} <b>{span(serverNow() - alarm.raised_ms)}</b> {clock(alarm.raised_ms)} {say("wall.since")} · {say(`alarm.${alarm.state}`)}{alarm.acked_by ? ` · ${alarm.acked_by}` : ""}</p>
      {isOnly && people && <div class="people"><div><h4>{say("wall.left.building", { place: people.building })}</h4><p class="figure huge">{people.inBuilding}<small>{say("wall.people")}</small></p></div>
        {people.storey && <div><h4>{say("wall.left.storey", { place: people.storey })}</h4><p class="figure">{people.inStorey}<small>{say("wall.people")}</small></p></div>}
        <p class="note">{people.ageMs === null ? say("wall.people.none") : say("wall.people.age", { age: age(people.ageMs) })}</p></div>}
    </article>
  );
}

function peopleNear(alarm: Alarm): { building: string; storey: string; inBuilding: number; inStorey: number; ageMs: number | null } | null {
  void valuesTick.value;
  const w = world.value!, up = (from: number, kind: string) => { let n = w.byIndex.get(from); while (n && n.kind !== kind) n = w.byIndex.get(n.parent); return n; };
  const at = w.deviceById.get(alarm.device)?.parent ?? alarm.node, building = up(at, "building"), storey = up(at, "storey");
  if (!building) return null;
  let inBuilding = 0, inStorey = 0, newest = 0;
  for (const t of w.tracks) {
    const seen = w.live.trackSeenMs[t.i] ?? 0;
    if (t.kind !== "person" || !seen) continue;
    newest = Math.max(newest, seen);
    const node = w.live.trackNode[t.i]!;
    if (up(node, "building") === building) inBuilding++;
    if (storey && up(node, "storey") === storey) inStorey++;
  }
  return { building: named(building), storey: storey ? named(storey) : "", inBuilding, inStorey, ageMs: newest ? Math.max(0, performance.now() - newest) : null };
}

/** The three nearest cameras by walking distance and the plan, or the alarm's own response until one runs. */
export function AlarmPlan({ alarm }: { alarm: Alarm }): JSX.Element {
  void (lang.value, seconds.value);
  const w = world.value!, [near, setNear] = useState<{ device: string; metres: number | null }[] | null>(null), incident = incidentOf(alarm.id), plan = incident?.plan ?? null, now = serverNow();
  useEffect(() => { let isHere = true; incidentApi.near(alarm.device, "camera").then((n) => { if (isHere) setNear(n.slice(0, 3)); }, () => { if (isHere) setNear([]); }); return () => { isHere = false; }; }, [alarm.device]);
  const left = alarm.raised_ms + alarm.deadline_mins * 60_000 - now;
  return (
    <>
      <section class="wall-cameras">{near?.length === 0 && <p class="note">{say("wall.cameras.none")}</p>}{near?.map(({ device, metres }, k) => { const d = w.deviceById.get(device); return d && <figure key={device}><div>{say("camera.none")}</div><figcaption><b>{k + 1} {named(d)}</b><span>{metres === null ? say("metres.none") : say("metres.walk", { n: figure(metres, 0) })}</span></figcaption></figure>; })}</section>
      <section class="wall-right wall-plan">
        {plan ? <><h2>{say("wall.plan")} {named(plan)} <small>{plan.steps.filter((s) => s.done_ms).length} / {plan.steps.length}</small></h2>
          <ol>{plan.steps.slice(0, 7).map((s, k) => <li key={s.key} class={s.done_ms ? "done" : plan.steps.findIndex((x) => !x.done_ms) === k ? "now" : ""}><b>{k + 1} {pick(s, "what")}</b><time>{s.done_ms ? span(s.done_ms - plan.started_ms) : plan.steps.findIndex((x) => !x.done_ms) === k ? span(now - plan.started_ms) : "—"}</time><span>{pick(s, "role")}</span><span class="limit">{say("wall.limit", { span: span(s.limit_mins * 60_000) })}</span></li>)}</ol></>
          : <><h2>{say("wall.response")}</h2><p class="note">{pick(alarm, "owner")} · {left >= 0 ? say("wall.due", { span: span(left) }) : say("wall.late", { span: span(-left) })}</p><ol>{(lang.value === "zh" && alarm.steps_zh.length ? alarm.steps_zh : alarm.steps).slice(0, 6).map((s, k) => <li key={k}><b>{k + 1} {s}</b></li>)}</ol></>}
      </section>
    </>
  );
}

/** One cell a source: how old its newest value is against its period, in thirds of three periods. */
export function Sources(): JSX.Element {
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
  return (
    <footer class="sources">{rows.map((r) => { const isOld = r.thirds > 3; return <div key={r.id} class={isOld ? "old" : ""}><p><b>{say(`wall.pack.${r.id}`) === `wall.pack.${r.id}` ? r.id : say(`wall.pack.${r.id}`)}</b><span>{Number.isFinite(r.ageMs) ? age(r.ageMs) : say("wall.never")}</span></p><div class="thirds"><i style={{ width: `${Math.min(100, (r.thirds / 3) * 100)}%` }} /></div><p><span>{say("wall.period", { n: r.period })}</span>{isOld && Number.isFinite(r.ageMs) && <span>{say("wall.old")}</span>}</p></div>; })}</footer>
  );
}
