/** `/wall`: the tour on the command centre's screens; an urgent alarm takes it until a person resumes. */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { createSceneView } from "../scene";
import type { SceneView, World } from "../contract";
import { api } from "./api";
import { clock, day, span } from "./format";
import { PriorityMark } from "./parts/icons";
import { token } from "./parts/chart";
import { activeAlarms, alarms, kpis, line, onLive, seconds, serverNow, world } from "./store";
import { AlarmPlan, AlarmWords, Figures, AlarmCounts, Sources } from "./wall_parts";
import { canvasOf, partOf } from "./wall_layout";
import { wall } from "./wall_state";
import { lang, named, say, setTheme } from "./words";

const PART = partOf(location.search), OFF = ["pipes"];
/** Once a window has seen a version of the page, another one makes it load again. */
let version = "";

/** Where a node is flown to: fences and vanished devices fall back on the alarm's own place. */
function placeOf(w: World, alarm: { device: string; node: number }): string {
  let node = w.byIndex.get(w.deviceById.get(alarm.device)?.parent ?? alarm.node) ?? null;
  while (node && !["space", "storey", "building"].includes(node.kind)) node = w.byIndex.get(node.parent) ?? null;
  return node?.id ?? "park";
}

function useScene(host: { current: HTMLDivElement | null }, onLost: (isLost: boolean) => void): { current: SceneView | null } {
  const scene = useRef<SceneView | null>(null), w = world.value;
  useEffect(() => {
    if (!w) return;
    const view = createSceneView(host.current!, w, { theme: "dark", lang: lang.value });
    const fit = () => {
      const c = canvasOf(PART, innerWidth, innerHeight);
      document.documentElement.style.fontSize = `${c.rem}px`;
      view.setViewOffset(PART.cols * PART.rows > 1 ? c.width : 0, c.height, c.x, c.y);
    };
    fit();
    addEventListener("resize", fit);
    scene.current = view;
    (globalThis as { parktwin?: unknown }).parktwin = { scene: view, world: w };
    OFF.forEach((layer) => view.setLayer(layer, false));
    const off = [onLive((slots) => view.liveChanged(slots)), view.on("lost", onLost), view.on("progress", (share) => { if (share >= 1) dispatchEvent(new Event("parktwin:first")); })];
    return () => { off.forEach((f) => f()); removeEventListener("resize", fit); view.dispose(); scene.current = null; };
  }, [w]);
  return scene;
}

export function Wall(): JSX.Element {
  void (seconds.value, lang.value);
  const host = useRef<HTMLDivElement>(null), [isLost, setLost] = useState(false), scene = useScene(host, setLost), w = world.value!, state = wall.value, isFirst = useRef(true);
  const stop = state?.stops[state.at], shown = (state?.alarms ?? []).map((id) => alarms.value.get(id)).filter((a) => a !== undefined), alarm = state?.mode === "alarm" ? shown[0] : undefined;
  const isMissing = state?.mode !== "alarm" && state?.mode !== "manual" && !!state?.missing.includes(state.at);
  const target = !state ? "park" : alarm ? placeOf(w, alarm) : state.mode === "alarm" ? "park" : state.mode === "manual" ? state.node : isMissing ? "park" : stop?.node ?? "park";
  const camera = state && ["tour", "paused"].includes(state.mode) && !isMissing ? stop?.camera ?? [] : [];
  useEffect(() => { setTheme("dark"); document.documentElement.classList.add("is-wall"); }, []);
  useEffect(() => {
    if (!scene.current || !state) return;
    const isCut = isFirst.current || PART.cols * PART.rows > 1;
    scene.current.goTo(target, { immediate: isCut });
    if (camera.length === 6) scene.current.setCamera({ target: [camera[0]!, camera[1]!, camera[2]!], distance: camera[3]!, azimuth: camera[4]!, polar: camera[5]!, metresPerPixel: 1 });
    scene.current.select(alarm && w.deviceById.has(alarm.device) ? alarm.device : null);
    isFirst.current = false;
  }, [target, camera.join(), w, state !== null]);
  const painted = alarm ? 0 : stop?.channel ?? 0;
  useEffect(() => {
    if (!painted) { scene.current?.setOverlay(null, null); return; }
    api.overlay(painted).then((i) => scene.current?.setOverlay(painted, { breaks: i.breaks, colours: [1, 2, 3, 4, 5, 6, 7].map((n) => token(`--e${n}`)), none: token("--e-none") }), () => scene.current?.setOverlay(null, null));
  }, [painted, w]);
  useEffect(() => { scene.current?.setAlarms(activeAlarms.value.filter((a) => a.state !== "shelved")); }, [activeAlarms.value, w]);
  useEffect(() => { scene.current?.setStale(!line.value.isUp); }, [line.value.isUp]);
  useEffect(() => { if (!state) return; if (version && version !== state.version) location.reload(); version ||= state.version; }, [state?.version]);
  useEffect(() => {
    const load = () => api.kpis("park").then((c) => { kpis.value = new Map(kpis.value).set("park", c); }, () => undefined);
    void load();
    const timer = setInterval(load, 5000);
    return () => clearInterval(timer);
  }, []);
  const c = canvasOf(PART, innerWidth, innerHeight), now = serverNow();
  return (
    <div class={`page wall${alarm ? " alarmed" : ""}`} data-mode={state?.mode ?? "none"} data-at={state?.at ?? -1}>
      <div class="wall-scene scene-host" ref={host} />
      <div class="wall-canvas" style={{ width: `${c.width}px`, height: `${c.height}px`, left: `${-c.x}px`, top: `${-c.y}px` }}>
        {alarm && <i class="edge" />}
        <header><h1>{named(w.park)} <small>{say("wall.centre")}</small></h1><Progress isMissing={isMissing} /><time><span>{day(now)}</span><b>{clock(now)}</b></time></header>
        {!line.value.isUp && <p class="wall-banner" role="alert">{say("line.banner", { span: span(performance.now() - line.value.sinceMs) })}</p>}
        {isLost && <p class="wall-banner" role="alert">{say("wall.lost")}</p>}
        {isMissing && <p class="wall-missing" role="status"><b>{say("wall.missing")}</b> {stop?.node}</p>}
        {alarm ? <><section class={`wall-left${shown.length > 1 ? " two" : ""}`}>{shown.map((a) => <AlarmWords key={a.id} alarm={a} isOnly={shown.length === 1} />)}<OtherAlarms shown={state!.alarms} /></section><AlarmPlan alarm={alarm} /></>
          : <><section class="wall-left"><Figures /></section><section class="wall-right"><AlarmCounts /></section></>}
        <Sources />
      </div>
    </div>
  );
}

function OtherAlarms({ shown }: { shown: number[] }): JSX.Element {
  const rest = activeAlarms.value.filter((a) => !shown.includes(a.id));
  return <p class="others"><span>{say("wall.others")}</span>{[1, 2, 3, 4].map((p) => { const n = rest.filter((a) => a.priority === p).length; return <span key={p}><PriorityMark priority={p} size={14} isHollow={!n} />P{p} <b>{n}</b></span>; })}</p>;
}

function Progress({ isMissing }: { isMissing: boolean }): JSX.Element | null {
  const state = wall.value, now = serverNow();
  if (!state) return <div class="tour">{say("wall.none")}</div>;
  const stop = state.stops[state.at], next = state.stops[(state.at + 1) % Math.max(1, state.stops.length)], n = state.stops.length;
  if (state.mode === "alarm") return <div class="tour" role="status"><b>{say("wall.paused")}</b><span>{n ? say("wall.held", { k: state.at + 1, n }) : ""} · {say("wall.leader")}</span></div>;
  if (state.mode === "manual") return <div class="tour" role="status"><b>{say("wall.manual")}</b><span>{world.value?.byId.get(state.node) ? named(world.value.byId.get(state.node)!) : state.node} · {state.by}</span></div>;
  if (!stop) return <div class="tour" role="status">{say("wall.empty")}</div>;
  const ran = state.mode === "paused" ? state.held_ms : now - state.started_ms, share = Math.min(1, Math.max(0, ran / (stop.seconds * 1000)));
  return (
    <div class="tour">
      <span>{state.mode === "paused" ? say("wall.paused") : say("wall.tour")} <b>{state.at + 1} / {n}</b> <b>{named(stop)}</b>{isMissing ? ` · ${say("wall.missing")}` : ""}</span>
      {state.mode === "tour" && n > 1 && next && <span class="next">{say("wall.next")} {named(next)} {Math.max(0, Math.ceil(stop.seconds - ran / 1000))} s</span>}
      <div class="bar">{state.stops.map((_, k) => <i key={k}><i style={{ width: `${k < state.at ? 100 : k === state.at ? share * 100 : 0}%` }} /></i>)}</div>
    </div>
  );
}
