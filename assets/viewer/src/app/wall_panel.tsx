/** The console's hand on the wall: its state, its tour, next, pause, resume, show. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { WallStop } from "../wire";
import { api, faultOf, type OverlayInfo } from "./api";
import { mayAct } from "./parts/alarms";
import { scene } from "./parts/scene";
import { channel, place, placeNode } from "./store";
import { WallScreens } from "./wall_screens";
import { wall, wallApi } from "./wall_state";
import { lang, named, say } from "./words";

const LAYERS = ["people", "vehicles", "devices", "labels", "trees", "pipes"], DEFAULT_LAYERS = LAYERS.slice(0, 5);

/** What a view draws: a heatmap and layers. */
function Drawn({ stop, may, save }: { stop: WallStop; may: boolean; save: (stop: WallStop) => void }): JSX.Element {
  const [heat, setHeat] = useState<OverlayInfo[]>([]);
  return (
    <details class="drawn" onToggle={(e) => { if (e.currentTarget.open && !heat.length) api.overlays().then(setHeat, () => undefined); }}>
      <summary>{say("wall.layers")}</summary>
      <label>{say("wall.channel")} <select value={String(stop.channel)} disabled={!may} onChange={(e) => save({ ...stop, channel: Number(e.currentTarget.value) })}><option value="0">{say("wall.channel.none")}</option>{stop.channel > 0 && !heat.length && <option value={String(stop.channel)}>…</option>}{heat.map((o) => <option key={o.channel} value={String(o.channel)}>{named(o)}</option>)}</select></label>
      {LAYERS.map((layer) => <label key={layer}><input type="checkbox" checked={stop.layers.includes(layer)} disabled={!may} onChange={(e) => save({ ...stop, layers: LAYERS.filter((l) => (l === layer ? e.currentTarget.checked : stop.layers.includes(l))) })} /> {say(`wall.layer.${layer}`)}</label>)}
    </details>
  );
}

export function WallPanel({ alarm }: { alarm: number | null }): JSX.Element | null {
  void lang.value;
  const state = wall.value, [fault, setFault] = useState(""), [gone, setGone] = useState<{ stop: WallStop; at: number } | null>(null), may = mayAct(), why = may ? "" : say("command.viewer");
  if (!state) return null;
  const act = (work: Promise<void>) => void work.then(() => setFault(""), (e: unknown) => setFault(faultOf(e)));
  const drive = (verb: string, what = {}) => act(wallApi.drive(verb, what)), save = (stops: WallStop[]) => act(wallApi.tour(stops));
  const add = () => {
    const c = scene?.getCamera(), node = placeNode.value;
    save([...state.stops, { name: node?.name || place.value, name_zh: node?.name_zh ?? "", node: place.value, seconds: 20, camera: c ? [...c.target, c.distance, c.azimuth, c.polar] : [], channel: channel.value ?? 0, layers: DEFAULT_LAYERS }]);
  };
  const isHeld = state.mode === "alarm";
  return (
    <section class="panel wall-panel">
      <header><h2>{say("wall.panel")}</h2><small role="status">{say(`wall.mode.${state.mode}`)}{state.by && state.mode !== "tour" ? ` · ${state.by}` : ""}</small><a href="/wall" target="_blank" rel="noreferrer">{say("wall.open")}</a></header>
      <div class="drive">
        <button disabled={!may || isHeld} title={why} onClick={() => drive("previous")}>{say("wall.previous")}</button><button disabled={!may || isHeld} title={why} onClick={() => drive("next")}>{say("wall.next")}</button>
        {state.mode === "tour" ? <button disabled={!may} title={why} onClick={() => drive("pause")}>{say("wall.pause")}</button> : <button class="primary" disabled={!may} title={why} onClick={() => drive("resume")}>{say("wall.resume")}</button>}
        <button disabled={!may} title={why} onClick={() => drive("show", { node: place.value })}>{say("wall.show")}</button>
        {alarm !== null && !state.urgent.some((u) => u.alarm === alarm) && <button disabled={!may} title={why} onClick={() => drive("alarm", { alarm })}>{say("wall.alarm")}</button>}
      </div>
      <ol>{state.stops.map((s, k) => (
        <li key={`${k}${s.node}`} aria-current={k === state.at ? "step" : undefined}><b>{k + 1}</b><span>{named(s)}{state.missing.includes(k) && <em> {say("wall.missing")} · {s.node}</em>}</span>
          <input type="number" min={5} max={3600} value={s.seconds} disabled={!may} aria-label={say("wall.secs")} onChange={(e) => save(state.stops.map((x, i) => (i === k ? { ...x, seconds: e.currentTarget.valueAsNumber || 20 } : x)))} /><small>s</small>
          <button disabled={!may || k === 0} aria-label={say("wall.up")} title={say("wall.up")} onClick={() => save(state.stops.map((x, i) => (i === k - 1 ? s : i === k ? state.stops[k - 1]! : x)))}>↑</button>
          <button disabled={!may} aria-label={say("wall.remove")} title={say("wall.remove")} onClick={() => { setGone({ stop: s, at: k }); save(state.stops.filter((_, i) => i !== k)); }}>✕</button>
          <Drawn stop={s} may={may} save={(to) => save(state.stops.map((x, i) => (i === k ? to : x)))} /></li>))}</ol>
      <div class="drive"><button disabled={!may} title={why} onClick={add}>{say("wall.add")}</button>{gone && <span>{say("wall.removed", { name: named(gone.stop) })} <button onClick={() => { save([...state.stops.slice(0, gone.at), gone.stop, ...state.stops.slice(gone.at)]); setGone(null); }}>{say("wall.undo")}</button></span>}</div>
      <WallScreens />
      {fault && <p class="why" role="alert">{fault}</p>}
    </section>
  );
}
