/** The 3D view in the page: channel switch, storeys, tools, legend, layers, scale; fed by the store, answering to it. */
import type { JSX } from "preact";
import { signal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { CameraState, SceneView } from "../../contract";
import { createSceneView } from "../../scene";
import { api, type OverlayInfo } from "../api";
import { clock, figure } from "../format";
import { keep, taken } from "../newer";
import { callingAlarms, camera, channel, choose, device, goTo, goUp, line, onLive, overlayTick, paint, place, placePath, serverNow, world } from "../store";
import { lang, named, pick, say, theme } from "../words";
import { findFences } from "../spatial/api";
import { fenceMiddles, HOUR_CHANNEL, hourShown, hourWords, open, trailOf } from "../spatial/state";
import { token } from "./chart";
import { Icon, PriorityMark } from "./icons";

const CHANNELS: [number | null, string][] = [[1, "channel.energy"], [2, "channel.temperature"], [4, "channel.people"], [3, "channel.co2"], [null, "channel.none"]];
/** Channels from here on are declared by the packs of this park. */
const FIRST_OF_PACKS = 64;
const RAMP = ["--e1", "--e2", "--e3", "--e4", "--e5", "--e6", "--e7"];

export let scene: SceneView | null = null;
/** Whether the first picture stands, or was waited for long enough. What a page shows beside it comes after it: on a machine without a
 * graphics card panels are drawn by the same processor, and would hold it up. */
export const isPictured = signal(false);
const PANELS_WAIT_MS = 1500;

export function SceneHost({ layersOff }: { layersOff: Set<string> }): JSX.Element {
  const host = useRef<HTMLDivElement>(null), isBack = useRef(false), w = world.value, [progress, setProgress] = useState(0), [info, setInfo] = useState<OverlayInfo | null>(null);
  useLayoutEffect(() => { // before the page is painted: WebGL then does not wait for that
    if (!w) return;
    const shown = () => { isPictured.value = true; }, timer = window.setTimeout(shown, PANELS_WAIT_MS);
    const view = createSceneView(host.current!, w, { theme: theme.value, lang: lang.value });
    scene = view;
    (globalThis as { parktwin?: unknown }).parktwin = { scene: view, world: w };
    const off = [
      () => window.clearTimeout(timer), view.on("firstFrame", () => requestAnimationFrame(() => window.setTimeout(shown))),
      view.on("pick", (what) => { if (what.kind === "node") goTo(what.id); else if (what.kind === "device" || what.kind === "alarm") choose(what.id); else if (what.kind === "track") { trailOf.value = what.id; open("trail"); } else if (what.kind === "none") choose(null); }),
      view.on("progress", (share) => { setProgress(share); if (share >= 1) dispatchEvent(new Event("parktwin:first")); }), view.on("camera", (c) => { camera.value = c; }), onLive((slots) => view.liveChanged(slots)),
    ];
    const from = taken<CameraState>("camera");
    view.goTo(device.value ?? place.value, { immediate: true, isStill: !!from });
    if (from) { view.setCamera(from); isBack.current = true; }
    return () => { off.forEach((f) => f()); view.dispose(); scene = null; };
  }, [w]);
  useEffect(() => { scene?.goTo(place.value, { isStill: isBack.current }); isBack.current = false; }, [place.value]);
  useEffect(() => keep("camera", () => scene?.getCamera()), []);
  useEffect(() => { scene?.select(device.value); }, [device.value, w]);
  useEffect(() => { scene?.setTheme(theme.value); }, [theme.value]);
  useEffect(() => { scene?.setLang(lang.value); }, [lang.value]);
  useEffect(() => { scene?.setStale(!line.value.isUp); }, [line.value.isUp]);
  useEffect(() => { scene?.setAlarms(callingAlarms.value.map((a) => ({ ...a, at: fenceMiddles.value.get(a.device.replace(/^fence:/, "")) }))); }, [callingAlarms.value, w, fenceMiddles.value]);
  useEffect(() => { if (callingAlarms.value.some((a) => a.device.startsWith("fence:") && !fenceMiddles.value.has(a.device.slice(6)))) findFences().catch(() => undefined); }, [callingAlarms.value]);
  useEffect(() => {
    const at = channel.value;
    if (at === null) { setInfo(null); scene?.setOverlay(null, null); return; }
    api.overlay(at).then((i) => { setInfo(i); scene?.setOverlay(hourShown.value ? HOUR_CHANNEL : at, { breaks: i.breaks, colours: RAMP.map(token), none: token("--e-none") }); }, () => setInfo(null));
  }, [channel.value, theme.value, w, hourShown.value !== null]);
  const [more, setMore] = useState<OverlayInfo[]>([]);
  useEffect(() => { api.overlays().then((all) => setMore(all.filter((o) => o.channel >= FIRST_OF_PACKS)), () => undefined); }, []);
  const before = useRef(new Set<string>());
  useEffect(() => {
    for (const l of before.current) if (!layersOff.has(l)) scene?.setLayer(l, true);
    for (const l of layersOff) scene?.setLayer(l, false);
    before.current = new Set(layersOff);
  }, [layersOff, w]);
  useEffect(() => {
    const key = (e: KeyboardEvent) => { if (e.key === "Escape" && !/INPUT|SELECT|TEXTAREA/.test((e.target as HTMLElement).tagName)) goUp(); };
    window.addEventListener("keydown", key);
    return () => window.removeEventListener("keydown", key);
  }, []);
  return (
    <div class={`scene${line.value.isUp ? "" : " stale"}`}>
      <div class="scene-host" ref={host} role="application" aria-label={say("scene")} tabIndex={0} />
      {progress < 1 && <div class="scene-load" role="progressbar" aria-valuenow={Math.round(progress * 100)}><i style={{ width: `${progress * 100}%` }} /><span>{say("load.tiles", { n: Math.round(progress * 100) })}</span></div>}
      <div class="channels pair" role="group" aria-label={say("channels")}>{CHANNELS.map(([n, key]) => <button key={key} aria-pressed={channel.value === n} onClick={() => paint(n)}>{say(key)}</button>)}{more.map((o) => <button key={o.channel} aria-pressed={channel.value === o.channel} onClick={() => paint(o.channel)}>{named(o).split(/[:：]/).pop()}</button>)}</div>
      <Storeys /><Tools />{info && <Legend info={info} />}<ScaleBar />
    </div>
  );
}

function Storeys(): JSX.Element | null {
  const w = world.value, building = placePath.value.find((n) => n.kind === "building");
  if (!w || !building) return null;
  const storeys = w.places.children(building.i, "storey").sort((a, b) => (b.z ?? 0) - (a.z ?? 0)), here = placePath.value.find((n) => n.kind === "storey");
  const worst = new Map<number, number>();
  for (const a of callingAlarms.value) {
    let n = w.byIndex.get(a.node) ?? w.byIndex.get(w.deviceById.get(a.device)?.parent ?? 0);
    while (n && n.kind !== "storey") n = w.byIndex.get(n.parent);
    if (n) worst.set(n.i, Math.min(worst.get(n.i) ?? 9, a.priority));
  }
  return <div class="storeys" role="group" aria-label={say("storeys")}>{storeys.map((s) => <button key={s.id} aria-pressed={here?.id === s.id} onClick={() => goTo(s.id)}>{worst.has(s.i) && <PriorityMark priority={worst.get(s.i)!} size={13} />}{named(s)}</button>)}</div>;
}

function Tools(): JSX.Element {
  const [tool, setTool] = useState<"orbit" | "measure" | "section" | "xray">("orbit");
  const use = (t: "measure" | "section" | "xray") => { const next = tool === t ? "orbit" : t; setTool(next); scene?.setTool(next); };
  const shot = async () => { const blob = await scene?.screenshot(); if (!blob) return; const a = document.createElement("a"); a.href = URL.createObjectURL(blob); a.download = `parktwin-${clock(serverNow()).replaceAll(":", "")}.png`; a.click(); URL.revokeObjectURL(a.href); };
  const button = (name: string, key: string, act: () => void, isOn?: boolean) => <button aria-label={say(key)} title={say(key)} aria-pressed={isOn} onClick={act}><Icon name={name} size={17} /></button>;
  return <div class="tools" role="toolbar" aria-label={say("tools")}>{button("home", "tool.home", () => { goTo("park"); scene?.home(); })}{button("north", "tool.north", () => scene?.north())}{button("ruler", "tool.measure", () => use("measure"), tool === "measure")}{button("section", "tool.section", () => use("section"), tool === "section")}{button("xray", "tool.xray", () => use("xray"), tool === "xray")}{button("shot", "tool.shot", () => void shot())}{button("full", "tool.full", () => void (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen()))}</div>;
}

function Legend({ info }: { info: OverlayInfo }): JSX.Element {
  void overlayTick.value;
  return (
    <div class="legend"><header><b>{named(info)}</b><small>{info.unit}</small><span>{hourShown.value ? say("hours.legend", { at: hourWords(hourShown.value) }) : say("asof", { at: clock(serverNow()).slice(0, 5) })}</span></header>
      <div class="ramp">{RAMP.map((c) => <i key={c} style={{ background: `var(${c})` }} />)}<i class="none" /></div>
      <div class="breaks">{info.breaks.slice(0, 7).map((b) => <span key={b}>{figure(b, Number.isInteger(b) ? 0 : 1)}</span>)}<span>{say("legend.none")}</span></div></div>
  );
}

function ScaleBar(): JSX.Element | null {
  const mpp = camera.value?.metresPerPixel;
  if (!mpp) return null;
  const want = mpp * 110, unit = 10 ** Math.floor(Math.log10(want)), metres = [5, 2, 1].map((k) => k * unit).find((m) => m <= want) ?? unit;
  return <div class="scalebar" style={{ width: `${metres / mpp}px` }}>{metres >= 1000 ? `${metres / 1000} km` : `${metres} m`}</div>;
}

export function LayerPanel({ off, onToggle }: { off: Set<string>; onToggle: (layer: string) => void }): JSX.Element | null {
  const w = world.value, [isOpen, setOpen] = useState(true);
  if (!w) return null;
  const counts = new Map<string, number>();
  for (const d of w.devices) counts.set(d.kind, (counts.get(d.kind) ?? 0) + 1);
  const rows: [string, string, number | string][] = [["people", say("layer.people"), w.tracks.filter((t) => t.kind === "person").length], ["vehicles", say("layer.vehicles"), w.tracks.filter((t) => t.kind === "vehicle").length],
    ["labels", say("layer.labels"), ""], ["trees", say("layer.trees"), ""], ["pipes", say("layer.pipes"), ""], ...(w.park.backgrounds ?? []).map((b) => [`background:${b.id}`, named(b), ""] as [string, string, string]), ...[...w.kinds.values()].filter((k) => counts.has(k.id)).map((k) => [k.id, named(k), counts.get(k.id)!] as [string, string, number])];
  return (
    <div class={`layers${isOpen ? "" : " shut"}`}><header><button aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}><b>{say("layers")}</b><small>{rows.length - [...off].length} / {rows.length} {say("layers.on")}</small><Icon name="down" size={14} /></button></header>
      {isOpen && <ul>{rows.map(([id, name, n]) => <li key={id}><label><input type="checkbox" checked={!off.has(id)} onChange={() => onToggle(id)} /><span>{name}</span><small>{n}</small></label></li>)}</ul>}</div>
  );
}
void pick;
