/** The 3D half of the wall: the scene, this window's part of it, the camera by the shared clock, layers and overlay of the stop. */
import { useEffect, useRef, useState } from "preact/hooks";
import { createSceneView } from "../scene";
import type { Box, CameraState, SceneView, World } from "../contract";
import type { WallShot, WallView } from "../wire";
import { api } from "./api";
import { comeBack } from "./come_back";
import { token } from "./parts/chart";
import { activeAlarms, alarms, askTime, line, onLive, paint, serverNow, sharedClock, world } from "./store";
import { type Escape, shapesOf } from "./wall_escape";
import { isFlying, type Leg, poseAt } from "./wall_flight";
import { canvasOf, marginsOf, type Part } from "./wall_layout";
import { lang } from "./words";

/** A room that is news is shown with what lies around it: so much further off than its own view. */
const AROUND = 1.45;
const LAYERS = ["people", "vehicles", "devices", "labels", "trees", "pipes"], OTHERWISE = ["people", "vehicles", "devices", "labels", "trees"];
const LOST_MS = 8_000, ASK_MS = 10_000, FIRST_ASKS_MS = [0, 300, 700, 1200, 2000];
const isReduced = (): boolean => matchMedia("(prefers-reduced-motion: reduce)").matches;

function poseOf(scene: SceneView, w: World, shot: WallShot, part: Part): CameraState {
  const [x, y, z, distance, azimuth, polar] = shot.camera;
  if (polar !== undefined) return { target: [x!, y!, z!], distance: distance!, azimuth: azimuth!, polar, metresPerPixel: 1 };
  const c = canvasOf(part, innerWidth, innerHeight), own = scene.poseOf(shot.node, c.width / c.height, marginsOf(c, shot.is_urgent));
  return shot.is_urgent && w.byId.get(shot.node)?.kind === "space" ? { ...own, distance: own.distance * AROUND } : own;
}

/** Fits the scene to the window; answers what undoes it. */
function fitted(scene: SceneView, part: Part, refit: () => void): () => void {
  const fit = (): void => {
    const c = canvasOf(part, innerWidth, innerHeight), isPart = !part.isWhole && part.cols * part.rows > 1;
    document.documentElement.style.fontSize = `${c.rem}px`;
    scene.setViewOffset(isPart ? c.width : 0, c.height, c.x, c.y);
    scene.setWall({ signScale: Math.max(1, c.rem / 32), seams: c.seams, clock: serverNow });
    refit();
  };
  fit();
  addEventListener("resize", fit);
  return () => removeEventListener("resize", fit);
}

/** The scene in `host`, following the wall; whether the graphics device is lost now, and whom to tell where words stand. */
export function useWallScene(host: { current: HTMLDivElement | null }, state: WallView | null, part: Part, escape: Escape | null): { isLost: boolean; cover: (boxes: Box[]) => void } {
  const scene = useRef<SceneView | null>(null), [isLost, setLost] = useState(false), w = world.value, shots = useRef<WallShot[]>([]);
  const legs = useRef<Leg[]>([]), covered = useRef<Box[]>([]);
  const follow = (): void => {
    const view = scene.current;
    if (!view || !w || !shots.current.length) return;
    legs.current = shots.current.map((shot) => ({ to: poseOf(view, w, shot, part), since_ms: shot.since_ms, flight_ms: shot.flight_ms }));
    view.follow(() => { const now = serverNow(); return { state: poseAt(legs.current, now, isReduced())!, isMoving: isFlying(legs.current, now) && !isReduced() }; });
  };
  useEffect(() => {
    if (!w) return;
    const view = createSceneView(host.current!, w, { theme: "dark", lang: lang.value });
    scene.current = view;
    view.setCovered(covered.current);
    (globalThis as { parktwin?: unknown }).parktwin = { scene: view, world: w, clock: sharedClock, poseAt: (ms: number) => poseAt(legs.current, ms), legs: () => legs.current };
    const undo = [fitted(view, part, follow), onLive((slots) => view.liveChanged(slots)), view.on("lost", setLost),
      view.on("progress", (share) => { if (share >= 1) dispatchEvent(new Event("parktwin:first")); })];
    return () => { undo.forEach((f) => f()); view.dispose(); scene.current = null; };
  }, [w]);

  const last = state?.shots[state.shots.length - 1], aim = last && `${last.node} ${last.camera.join()} ${last.since_ms}`;
  useEffect(() => {
    const view = scene.current;
    if (!view || !last || !w) return;
    shots.current = state!.shots;
    follow();
    const isOpening = ["storey", "space"].includes(w.byId.get(last.node)?.kind ?? "") || w.deviceById.has(last.node);
    const timer = setTimeout(() => view.goTo(last.node, { isStill: true }), Math.max(0, last.since_ms + (isOpening ? last.flight_ms * 0.6 : 0) - serverNow()));
    return () => clearTimeout(timer);
  }, [aim, w]);

  const stop = state && ["tour", "paused"].includes(state.mode) ? state.stops[state.at] : undefined;
  const urgent = state?.mode === "alarm" ? state.urgent.find((u) => u.node === state.focus) : undefined, device = alarms.value.get(urgent?.alarm ?? 0)?.device ?? null;
  useEffect(() => { scene.current?.select(device && w?.deviceById.has(device) ? device : null); }, [device, w]);
  useEffect(() => { scene.current?.setShapes("escape", escape && shapesOf(escape)); }, [escape, w]);
  const shown = stop?.layers ?? OTHERWISE;
  useEffect(() => LAYERS.forEach((layer) => scene.current?.setLayer(layer, shown.includes(layer))), [shown.join(), w]);
  const channel = stop?.channel ?? 0;
  useEffect(() => {
    if (!channel) { paint(null, false); scene.current?.setOverlay(null, null); return; }
    let isHere = true;
    paint(channel, false);
    const colours = (): string[] => [1, 2, 3, 4, 5, 6, 7].map((n) => token(`--e${n}`));
    api.overlay(channel).then((i) => { if (isHere) scene.current?.setOverlay(channel, { breaks: i.breaks, colours: colours(), none: token("--e-none") }); }, () => { if (isHere) scene.current?.setOverlay(null, null); });
    return () => { isHere = false; };
  }, [channel, w]);
  useEffect(() => { scene.current?.setAlarms(activeAlarms.value.filter((a) => a.state !== "shelved")); }, [activeAlarms.value, w]);
  useEffect(() => { scene.current?.setStale(!line.value.isUp); }, [line.value.isUp, w]);
  useEffect(() => { scene.current?.setLang(lang.value); }, [lang.value, w]);

  useEffect(() => { // a device that does not come back by itself: the page does
    if (!isLost) return;
    const timer = setTimeout(() => comeBack(), LOST_MS);
    return () => clearTimeout(timer);
  }, [isLost]);
  useEffect(() => { // the shared clock: asked a few times when the line comes up, then now and again
    if (!line.value.isUp) return;
    const first = FIRST_ASKS_MS.map((ms) => setTimeout(askTime, ms)), later = setInterval(askTime, ASK_MS);
    return () => { first.forEach(clearTimeout); clearInterval(later); };
  }, [line.value.isUp]);
  return { isLost, cover: (boxes) => { covered.current = boxes; scene.current?.setCovered(boxes); } };
}
