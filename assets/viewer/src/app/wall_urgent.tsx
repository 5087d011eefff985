/** What the wall says about what is urgent: what, where, how long, who is still there, cameras, plan. Nothing is a number nobody measured. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { WallUrgent } from "../wire";
import { age, clock, figure, span } from "./format";
import { incidentApi, incidents } from "./incident/state";
import { PriorityMark } from "./parts/icons";
import { activeAlarms, alarms, seconds, serverNow, valuesTick, world } from "./store";
import type { Escape } from "./wall_escape";
import { lang, named, pick, say } from "./words";

const MOST_NAMED = 4, MOST_CAMERAS = 3, MOST_STEPS = 7, MOST_SHUT = 2;

/** One place's urgent things, the first of them in words. */
function byPlace(all: WallUrgent[]): WallUrgent[][] {
  const places = new Map<string, WallUrgent[]>();
  for (const one of all) places.set(one.node, [...(places.get(one.node) ?? []), one]);
  return [...places.values()];
}
const stateOf = (u: WallUrgent): string => (u.by ? say(u.state === "closed" ? "wall.closed" : "wall.declared", { by: u.by }) : say(`alarm.${u.state}`));

/** The place that is seen, large; the others by name, each with its time. */
export function UrgentWords({ all, here, escape }: { all: WallUrgent[]; here: WallUrgent; escape: Escape | null }): JSX.Element {
  void (lang.value, seconds.value);
  const places = byPlace(all), others = places.filter((p) => p[0]!.node !== here.node), people = peopleAt(here), alarm = alarms.value.get(here.alarm), now = serverNow();
  const more = (places.find((p) => p[0]!.node === here.node)?.length ?? 1) - 1;
  return (
    <article class={`alarm-words${others.length ? " two" : ""}`} data-key={here.key}>
      <h2 data-whole="flow"><PriorityMark priority={here.priority} size={48} />{pick(here, "title")}</h2>
      <h3 data-whole="flow">{pick(here, "place") || say("outdoors")}</h3>
      <p class="note" data-whole="flow">{alarm?.device ?? ""}{alarm?.value != null && alarm.unit ? ` · ${figure(alarm.value, 1)} ${alarm.unit}` : ""}{more > 0 ? ` · ${say("wall.more.here", { n: more })}` : ""}</p>
      <p class="lasting" data-whole="flow">{say("wall.lasting")} <b>{span(now - here.raised_ms)}</b> {say("wall.since", { at: clock(here.raised_ms) })} · {stateOf(here)}{alarm?.acked_by ? ` · ${alarm.acked_by}` : ""}</p>
      {people && <div class="people" data-whole="flow"><div><h4>{say("wall.left.building", { place: people.building })}</h4><p class="figure huge">{people.inBuilding}<small>{say("wall.people")}</small></p></div>
        {people.storey && <div><h4>{say("wall.left.storey", { place: people.storey })}</h4><p class="figure">{people.inStorey}<small>{say("wall.people")}</small></p></div>}
        <p class="note">{people.ageMs === null ? say("wall.people.none") : say("wall.people.age", { age: age(people.ageMs) })}</p></div>}
      {escape && <WaysOut escape={escape} />}
      {others.length > 0 && <ol class="also" data-whole="flow" aria-label={say("wall.also")}>
        {others.slice(0, MOST_NAMED).map(([u]) => <li key={u!.key}><PriorityMark priority={u!.priority} size={22} /><b>{pick(u!, "title")}</b><span>{pick(u!, "place") || say("outdoors")}</span><time>{span(now - u!.raised_ms)}</time></li>)}
        {others.length > MOST_NAMED && <li><span>{say("wall.more", { n: others.length - MOST_NAMED })}</span></li>}</ol>}
    </article>
  );
}

/** Ways out by the walking graph; rooms without one are named, as nobody may be told otherwise. */
function WaysOut({ escape }: { escape: Escape }): JSX.Element {
  const w = world.value!, exits = new Set(escape.ways.map((way) => way.exit)).size, far = Math.max(0, ...escape.ways.map((way) => way.metres)), shut = escape.shut.map((id) => { const n = w.byId.get(id); return n ? named(n) : id; });
  return (
    <p class="escape" data-whole="flow"><b>{escape.ways.length ? say("wall.escape", { rooms: escape.ways.length, exits, metres: figure(far, 0) }) : say("wall.escape.none")}</b>
      {shut.length > 0 && <em>{say("wall.escape.shut", { n: shut.length, names: shut.slice(0, MOST_SHUT).join(say("wall.comma")) + (shut.length > MOST_SHUT ? " …" : "") })}</em>}
      <small>{say("wall.escape.how")}</small></p>
  );
}

export function OtherAlarms({ shown }: { shown: WallUrgent[] }): JSX.Element {
  const on = new Set(shown.map((u) => u.alarm)), rest = activeAlarms.value.filter((a) => !on.has(a.id));
  return <p class="others" data-whole="flow"><span>{say("wall.others")}</span>{[1, 2, 3, 4].map((p) => { const n = rest.filter((a) => a.priority === p).length; return <span key={p}><PriorityMark priority={p} size={14} isHollow={!n} />P{p} <b>{n}</b></span>; })}</p>;
}

function peopleAt(u: WallUrgent): { building: string; storey: string; inBuilding: number; inStorey: number; ageMs: number | null } | null {
  void valuesTick.value;
  const w = world.value!, up = (from: number, kind: string) => { let n = w.byIndex.get(from); while (n && n.kind !== kind) n = w.byIndex.get(n.parent); return n; };
  const at = w.byId.get(u.node)?.i ?? w.deviceById.get(u.node)?.parent ?? 0, building = up(at, "building"), storey = up(at, "storey");
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

/** The nearest cameras by walking distance. */
export function Cameras({ urgent }: { urgent: WallUrgent }): JSX.Element {
  const w = world.value!, from = alarms.value.get(urgent.alarm)?.device || urgent.node, [near, setNear] = useState<{ device: string; metres: number | null }[] | null>(null);
  useEffect(() => {
    let isHere = true;
    incidentApi.near(from, "camera").then((found) => { if (isHere) setNear(found.slice(0, MOST_CAMERAS)); }, () => { if (isHere) setNear([]); });
    return () => { isHere = false; };
  }, [from]);
  return (
    <section class="wall-cameras">{near?.length === 0 && <p class="note">{say("wall.cameras.none")}</p>}
      {near?.map(({ device, metres }, k) => { const d = w.deviceById.get(device); return d && (
        <figure key={device} data-whole="free"><div>{say("camera.none")}</div><figcaption><b>{k + 1} {named(d)}</b><span>{metres === null ? say("metres.none") : say("metres.walk", { n: figure(metres, 0) })}</span></figcaption></figure>); })}</section>
  );
}

/** The plan that runs, or the alarm's own response until one does. */
export function UrgentPlan({ urgent }: { urgent: WallUrgent }): JSX.Element {
  void (lang.value, seconds.value);
  const alarm = alarms.value.get(urgent.alarm), plan = incidents.value.get(urgent.incident)?.plan ?? null, now = serverNow();
  if (plan) {
    const at = plan.steps.findIndex((s) => !s.done_ms), first = Math.max(0, Math.min(at < 0 ? 0 : at - 2, plan.steps.length - MOST_STEPS));
    return (
      <section class="wall-right wall-plan"><h2 data-whole="flow">{say("wall.plan")} {named(plan)} <small>{plan.steps.filter((s) => s.done_ms).length} / {plan.steps.length}</small></h2>
        <ol>{plan.steps.slice(first, first + MOST_STEPS).map((s, k) => { const n = first + k; return <li key={s.key} data-whole="flow" class={s.done_ms ? "done" : n === at ? "now" : ""}><b>{n + 1} {pick(s, "what")}</b><time>{s.done_ms ? span(s.done_ms - plan.started_ms) : n === at ? span(now - plan.started_ms) : "—"}</time><span>{pick(s, "role")}</span><span class="limit">{say("wall.limit", { span: span(s.limit_mins * 60_000) })}</span></li>; })}</ol></section>
    );
  }
  if (!alarm) return <section class="wall-right wall-plan"><h2 data-whole="flow">{say("wall.response")}</h2><p class="note" data-whole="flow">{say("wall.plan.none")}</p></section>;
  const left = alarm.raised_ms + alarm.deadline_mins * 60_000 - now, steps = lang.value === "zh" && alarm.steps_zh.length ? alarm.steps_zh : alarm.steps;
  return (
    <section class="wall-right wall-plan"><h2 data-whole="flow">{say("wall.response")}</h2><p class="note" data-whole="flow">{pick(alarm, "owner")} · {left >= 0 ? say("wall.due", { span: span(left) }) : say("wall.late", { span: span(-left) })}</p>
      <ol>{steps.slice(0, MOST_STEPS).map((s, k) => <li key={k} data-whole="flow"><b>{k + 1} {s}</b></li>)}</ol></section>
  );
}
