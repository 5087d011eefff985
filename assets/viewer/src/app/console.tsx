/** `/console`: alarms in order, their place, the response, the command and what was done. */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { type Alarm, api, type Drill, faultOf } from "./api";
import { clock, figure, span } from "./format";
import { IncidentPanel, LeftOutNote } from "./incident/panel";
import { WallPanel } from "./wall_panel";
import { dispatches, incidentApi } from "./incident/state";
import { AsideList, DeviceRules } from "./alarms/aside";
import { AlarmFigurePanel } from "./alarms/figures";
import { Floods } from "./alarms/floods";
import { rowsOf } from "./alarms/groups";
import { Verbs } from "./alarms/verbs";
import { useKept } from "./newer";
import { AlarmLoad, AlarmRow, PriorityChips } from "./parts/alarms";
import { Approvals } from "./parts/command";
import { DeviceCard } from "./parts/device";
import { PlaceCard } from "./parts/relations";
import { Icon, PriorityMark } from "./parts/icons";
import { token } from "./parts/chart";
import { scene, SceneHost } from "./parts/scene";
import { LineBanner, TopBar } from "./parts/topbar";
import { activeAlarms, callingAlarms, device, goTo, me, place, seconds, serverNow, trail, world } from "./store";
import { lang, named, pick, say } from "./words";

const OFF = new Set(["pipes"]);

/** Alarms by place (building and storey), the most urgent group first; order inside by priority, then age. */
function grouped(list: Alarm[], byPlace: boolean): [string, Alarm[]][] {
  const groups = new Map<string, Alarm[]>();
  for (const a of list) { const key = byPlace ? pick(a, "place").split(" · ").slice(0, 2).join(" · ") || say("outdoors") : say("priority", { n: a.priority }); groups.set(key, [...(groups.get(key) ?? []), a]); }
  return [...groups];
}

/** The nearest cameras on foot, as the server knows the ways. */
function Cameras({ alarm }: { alarm: Alarm }): JSX.Element {
  const w = world.value!, [near, setNear] = useState<{ device: string; metres: number | null }[]>([]);
  useEffect(() => { let isHere = true; if (w.deviceById.has(alarm.device)) incidentApi.near(alarm.device, "camera").then((n) => { if (isHere) setNear(n); }, () => setNear([])); else setNear([]); return () => { isHere = false; }; }, [alarm.device]);
  return <div class="cameras">{near.map(({ device, metres }) => { const d = w.deviceById.get(device); return d && <button key={d.id} onClick={() => goTo(d.id)}><header><b>{named(d)}</b><span>{metres === null ? say("metres.none") : say("metres.walk", { n: figure(metres, 0) })}</span></header><div><Icon name="camera" size={26} /><small>{say("camera.none")}</small></div></button>; })}</div>;
}

/** The ways of people under way, drawn in the scene with who it is. */
function Routes(): JSX.Element | null {
  const going = [...dispatches.value.values()].filter((d) => ["requested", "sent", "accepted"].includes(d.state));
  const mark = going.map((d) => d.id).join();
  useEffect(() => {
    scene?.setShapes("dispatch", going.flatMap((d) => [
      { kind: "path" as const, points: d.route.map(([x, y, z]) => [x, y, z + 0.4] as [number, number, number]), colours: d.route.map(() => token("--accent")), width: 4 },
      { kind: "ring" as const, at: d.route[d.route.length - 1]!, radius: 2.2, colour: token("--accent"), width: 3 }]));
  }, [mark, world.value]);
  useEffect(() => () => scene?.setShapes("dispatch", null), []);
  return going.length ? <ul class="route-note">{going.map((d) => <li key={d.id}>{say(`role.${d.role}`)} {named(d)} → {pick(d, "place")} · {say("metres.walk", { n: figure(d.metres, 0) })}</li>)}</ul> : null;
}

function Drills(): JSX.Element | null {
  const [rows, setRows] = useState<Drill[]>([]), [fault, setFault] = useState(""), may = me.value && ["commander", "admin"].includes(me.value.role);
  const load = () => api.drills().then(setRows, () => setRows([]));
  useEffect(() => { void load(); }, []);
  if (!rows.length || !me.value?.demo) return null;
  const toggle = async (i: Drill) => { try { await (i.running ? api.stopDrill(i.key) : api.startDrill(i.key)); setFault(""); } catch (e) { setFault(faultOf(e)); } await load(); };
  return <div class="drills"><small>{say("drills")}</small>{rows.map((i) => <button key={i.key} disabled={!may} title={may ? "" : say("drills.role")} aria-pressed={i.running} onClick={() => void toggle(i)}>{i.running ? "■" : "▸"} {named(i)}</button>)}{fault && <span class="why">{fault}</span>}</div>;
}

export function Console(): JSX.Element {
  void (seconds.value, lang.value);
  const all = callingAlarms.value, [only, setOnly] = useKept<number | null>("only", null), [byPlace, setByPlace] = useKept("byPlace", true), [id, setId] = useKept<number | null>("alarm", null), [fault, setFault] = useState(""), list = useRef<HTMLUListElement>(null);
  const wanted = only ? all.filter((a) => a.priority === only) : all, alone = new Set(rowsOf(all));
  const groups = grouped(wanted.filter((a) => alone.has(a)), byPlace), rows = [...wanted.filter((a) => !alone.has(a)), ...groups.flatMap(([, a]) => a)], chosen = all.find((a) => a.id === id) ?? null;
  const take = (a: Alarm) => { setId(a.id); setFault(""); goTo(a.device); };
  // the first alarm is taken up only where nobody looks at anything: neither a link nor an operator's camera is overruled
  useEffect(() => { if (id === null && rows.length && world.value && !device.value && place.value === "park") take(rows[0]); }, [rows.length > 0, world.value]);
  useEffect(() => {
    const key = (e: KeyboardEvent) => {
      if (!["ArrowDown", "ArrowUp"].includes(e.key) || /INPUT|SELECT|TEXTAREA/.test((e.target as HTMLElement).tagName) || (e.target as HTMLElement).closest(".scene-host")) return;
      e.preventDefault();
      const at = rows.findIndex((a) => a.id === id), next = rows[Math.max(0, Math.min(rows.length - 1, at + (e.key === "ArrowDown" ? 1 : -1)))];
      if (next) take(next);
    };
    window.addEventListener("keydown", key);
    return () => window.removeEventListener("keydown", key);
  }, [rows, id]);
  const recent = all.filter((a) => serverNow() - a.raised_ms < 600_000).length;
  return (
    <div class="page console">
      <TopBar page="console" /><LineBanner />
      <div class="subbar"><span>{say("console.on")} <b>{me.value?.name || me.value?.user}</b></span><Drills /><span class="spacer" /><span>{say("console.open", { n: all.length, m: all.filter((a) => a.state === "unacknowledged").length })}</span><a href="/replay">{say("replay")}</a><a href="/">{say("operations")}</a></div>
      <aside class="queue">
        <header><h2>{say("alarms")}</h2><small>{say("alarms.recent", { n: recent })}</small><div class="pair" role="group"><button aria-pressed={byPlace} onClick={() => setByPlace(true)}>{say("by.place")}</button><button aria-pressed={!byPlace} onClick={() => setByPlace(false)}>{say("by.priority")}</button></div></header>
        <PriorityChips alarms={activeAlarms.value} only={only} onOnly={setOnly} />
        {rows.length === 0 && <p class="empty">{say("alarms.none", { at: clock(serverNow()) })}</p>}
        <ul ref={list}><Floods only={only} chosen={id} onChoose={take} verbs={(a) => <Verbs alarm={a} fault={fault} onFault={setFault} />} />{groups.map(([name, items]) => <li key={name} class="group"><h3>{name} <small>{items.length}</small></h3><ul>{items.map((a) => <AlarmRow key={a.id} alarm={a} isChosen={a.id === id} onChoose={() => take(a)}>{a.id === id ? <Verbs alarm={a} fault={fault} onFault={setFault} /> : null}</AlarmRow>)}</ul></li>)}</ul>
        <AsideList />
        <section class="load-strip"><h3>{say("alarms.load")}</h3><AlarmLoad /></section>
      </aside>
      <main>
        {chosen ? <header class={`headline p${chosen.priority}`}><PriorityMark priority={chosen.priority} size={44} /><div><h2>{pick(chosen, "title")} · {pick(chosen, "place")}</h2><p>{chosen.device}{chosen.value !== null ? ` · ${figure(chosen.value, 1)} ${chosen.unit}` : ""}{chosen.limit !== null ? `（${say("limit")} ${figure(chosen.limit, 1)}）` : ""}</p></div><div class="timer"><b>{span(serverNow() - chosen.raised_ms)}</b><small>{say(`alarm.${chosen.state}`)}{chosen.acked_by ? ` · ${chosen.acked_by}` : ""}</small></div></header>
          : <header class="headline calm"><div><h2>{say("console.calm")}</h2><p>{say("console.calm.hint")}</p></div></header>}
        <SceneHost layersOff={OFF} /><Routes />
        {chosen && world.value && <Cameras alarm={chosen} />}
      </main>
      <aside class="right">
        <Approvals />
        {chosen && <IncidentPanel alarm={chosen} />}
        {device.value || place.value === "park" ? <DeviceCard /> : <PlaceCard />}{device.value && <DeviceRules device={device.value} />}
        <LeftOutNote />
        <AlarmFigurePanel />
        <WallPanel alarm={chosen?.id ?? null} />
        <section class="panel trail"><header><h2>{say("trail")}</h2></header><ul>{trail.value.slice(0, 40).map((t) => <li key={t.id}><time>{clock(t.time_ms)}</time><span>{pick(t, "text")}</span><small>{t.who}</small></li>)}</ul>{trail.value.length === 0 && <p class="empty">{say("trail.none")}</p>}</section>
      </aside>
      <footer class="keys"><kbd>↑</kbd><kbd>↓</kbd>{say("keys.rows")}<kbd>A</kbd>{say("acknowledge")}<kbd>F</kbd>{say("locate")}<kbd>S</kbd>{say("shelve")}<kbd>D</kbd>{say("dispatch")}<kbd>/</kbd>{say("search")}<kbd>Esc</kbd>{say("keys.up")}</footer>
    </div>
  );
}
