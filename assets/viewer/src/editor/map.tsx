/** The map: the park from above, buildings that a hand takes and turns, corners of a zone, a place for a device. */
import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { CameraState, SceneView, Shape } from "../contract";
import { createSceneView } from "../scene";
import { token } from "../app/parts/chart";
import { figure } from "../app/format";
import { Icon } from "../app/parts/icons";
import { keep, taken } from "../app/newer";
import { groundLevel, world } from "../app/store";
import { lang, say, theme } from "../app/words";
import { editsApi, type Standing, type Xyz } from "./api";
import { chosen, corners, edits, footprints, held, hold, isOfMap, node, ownerOf, poseOf, seek, settle, spot, standing, standingOf, storeyOf, tool, type Pose } from "./state";

export let scene: SceneView | null = null;
/** How steep the map is seen, radians; height of drawn zones, metres; metres of distance for a metre of height of the picture, with a margin. */
const FROM_ABOVE = 0.12, HIGH = 6, AROUND = 2.8;

/** A point of a building's own metres in park metres. */
export function toPark(b: Standing, pose: Pose, [x, y]: [number, number]): [number, number] {
  const turn = (-pose.heading * Math.PI) / 180, c = Math.cos(turn) * b.scale[0], s = Math.sin(turn) * b.scale[0], u = x - b.anchor[0], v = y - b.anchor[1];
  return [pose.at[0] + c * u - s * v, pose.at[1] + s * u + c * v];
}
/** What takes a building from where it was built to a pose: column-major 4×4. */
function motion(b: Standing, pose: Pose): number[] {
  const turn = (-(pose.heading - b.built.heading) * Math.PI) / 180, c = Math.cos(turn), s = Math.sin(turn), [x, y, z] = b.built.at;
  return [c, s, 0, 0, -s, c, 0, 0, 0, 0, 1, 0, pose.at[0] - (c * x - s * y), pose.at[1] - (s * x + c * y), pose.at[2] - z, 1];
}
const isMoved = (b: Standing, pose: Pose): boolean => Math.hypot(pose.at[0] - b.built.at[0], pose.at[1] - b.built.at[1], pose.at[2] - b.built.at[2]) > 1e-3 || Math.abs(((pose.heading - b.built.heading + 540) % 360) - 180) > 1e-3;
const cross = ([x, y, z]: Xyz, r: number, colour: string): Shape[] => [{ kind: "ring", at: [x, y, z], radius: r, colour, width: 3 }, { kind: "ring", at: [x, y, z], radius: r / 3, colour, width: 2 }];

export function EditorMap(): JSX.Element {
  void lang.value;
  const host = useRef<HTMLDivElement>(null), shifted = useRef(new Set<string>()), w = world.value!, [cursor, setCursor] = useState<[number, number] | null>(null);
  const current = edits.value, pose = held.value, owner = ownerOf(node.value);
  useLayoutEffect(() => {
    const view = createSceneView(host.current!, w, { theme: theme.value, lang: lang.value });
    scene = view;
    (globalThis as { parktwin?: unknown }).parktwin = { scene: view, world: w };
    view.setMap(true);
    view.setLayer("people", false); view.setLayer("vehicles", false); view.setLayer("devices", false);
    const from = taken<CameraState>("camera");
    if (from) view.setCamera(from); else home();
    const off = [view.on("progress", (share) => { if (share >= 1) dispatchEvent(new Event("parktwin:first")); })];
    const stop = hands(host.current!, view);
    return () => { stop(); off.forEach((f) => f()); view.dispose(); scene = null; };
  }, [w]);
  useEffect(() => keep("camera", () => scene?.getCamera()), []);
  useEffect(() => { editsApi.footprints().then((all) => { footprints.value = all; }, () => undefined); }, []);
  useEffect(() => { scene?.setTheme(theme.value); }, [theme.value]);
  useEffect(() => { scene?.setLang(lang.value); }, [lang.value]);
  useEffect(() => { if (seek.value) look(seek.value); }, [seek.value]);
  useEffect(() => {
    const all = new Map(standing.value), mine = held.value && standingOf(held.value.building);
    if (mine) all.set(mine.id, mine);
    for (const id of shifted.current) if (!all.has(id)) scene?.setMoved(id, null);
    shifted.current = new Set();
    for (const b of all.values()) { const p = poseOf(b), is = isMoved(b, p); if (is) shifted.current.add(b.id); scene?.setMoved(b.id, is ? motion(b, p) : null); }
  }, [current, pose]);
  useEffect(() => {
    const accent = token("--accent"), line = token("--line-3"), isWhole = node.value?.kind === "building";
    scene?.setShapes("footprints", footprints.value.map(({ ring }) => ({ kind: "area", ring, z: groundLevel() + 0.3, fill: line, alpha: 0, edge: line })));
    scene?.setShapes("outline", owner && isWhole ? owner.outline.map((ring) => ({ kind: "wall", ring: ring.map((p) => toPark(owner, poseOf(owner), p)), isClosed: true, z0: poseOf(owner).at[2], z1: poseOf(owner).at[2] + 1.2, fill: accent, alpha: 0.3 })) : null);
    const north = owner && isWhole ? poseOf(owner) : null;
    scene?.setShapes("turn", north ? [{ kind: "path", points: [[...north.at.slice(0, 2), north.at[2] + 0.5] as unknown as Xyz, [north.at[0] + Math.sin((north.heading * Math.PI) / 180) * 25, north.at[1] + Math.cos((north.heading * Math.PI) / 180) * 25, north.at[2] + 0.5]], colours: [accent], width: 2.5, dash: 6 }] : null);
  }, [owner, pose, current, footprints.value, theme.value, chosen.value]);
  useEffect(() => {
    const accent = token("--accent"), zones: Shape[] = (current?.overrides ?? []).filter((o) => o.what === "zone").map((o) => ({ kind: "wall", ring: o.ring!, isClosed: true, z0: groundLevel() + 0.2, z1: groundLevel() + HIGH, fill: accent, alpha: 0.14 }));
    scene?.setShapes("zones", zones);
    const devices = (current?.overrides ?? []).filter((o) => o.what === "device" && o.at).flatMap((o) => cross(o.at!, 1.6, accent));
    scene?.setShapes("devices", [...devices, ...(spot.value ? cross(spot.value, 2.2, token("--text-1")) : [])]);
    const ring = corners.value;
    scene?.setShapes("drawing", ring.length > 1 ? [{ kind: "wall", ring, isClosed: ring.length > 2, z0: groundLevel() + 0.2, z1: groundLevel() + HIGH, fill: accent, alpha: 0.34 }] : ring.length ? cross([...ring[0]!, groundLevel() + 0.3], 1.5, accent) : null);
  }, [current, corners.value, spot.value, theme.value]);
  useEffect(() => {
    const storey = storeyOf(node.value);
    if (storey) scene?.goTo(storey.id); else { scene?.goTo("park", { isStill: true }); if (owner && node.value?.kind === "building" && !held.value) look(poseOf(owner).at); }
  }, [chosen.value]);
  return (
    <div class="editor-map" onPointerMove={(e) => { const at = under(e); setCursor(at ? [at[0], at[1]] : null); }}>
      <div class="editor-canvas" ref={host} aria-label={say("editor.map")} />
      <div class="editor-corner">
        <button title={say("editor.above")} aria-label={say("editor.above")} onClick={home}><Icon name="home" size={16} /></button>
        <button title={say("editor.tilt")} aria-label={say("editor.tilt")} onClick={tilt}><Icon name="xray" size={16} /></button>
        <button title={say("editor.north")} aria-label={say("editor.north")} onClick={() => scene?.north()}><Icon name="north" size={16} /></button>
        {cursor && <output>{say("editor.at", { x: figure(cursor[0], 1), y: figure(cursor[1], 1) })}</output>}
      </div>
    </div>
  );
}

/** The whole park from straight above, north up. */
function home(): void {
  const b = world.value!.park.bounds, boxes = world.value!.park.buildings.map((x) => x.bbox), at = [...standing.value.values()].map((s) => s.at);
  const xs = [...boxes.flatMap((x) => [x[0]!, x[3]!]), ...at.map((p) => p[0])], ys = [...boxes.flatMap((x) => [x[1]!, x[4]!]), ...at.map((p) => p[1])];
  const [x0, y0, x1, y1] = xs.length ? [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)] : [b[0]!, b[1]!, b[2]!, b[3]!];
  const box = document.querySelector(".editor-canvas"), aspect = box ? box.clientWidth / Math.max(1, box.clientHeight) : 1.5;
  scene?.setCamera({ target: [(x0 + x1) / 2, (y0 + y1) / 2, groundLevel()], distance: Math.max(90, AROUND * Math.max(y1 - y0, (x1 - x0) / aspect)), azimuth: 0, polar: FROM_ABOVE, metresPerPixel: 1 });
}
function tilt(): void { const c = scene?.getCamera(); if (c) scene!.setCamera({ ...c, polar: c.polar > 0.5 ? FROM_ABOVE : 0.95 }); }
export function look([x, y]: Xyz): void { const c = scene?.getCamera(); if (c && Math.hypot(c.target[0] - x, c.target[1] - y) > c.distance * 0.35) scene!.setCamera({ ...c, target: [x, y, groundLevel()] }); }
function spotOf(e: PointerEvent): [number, number] { const box = (document.querySelector(".editor-canvas") as HTMLElement).getBoundingClientRect(); return [e.clientX - box.left, e.clientY - box.top]; }
function under(e: PointerEvent): Xyz | null { const [x, y] = spotOf(e); return scene?.pointAt(x, y, groundLevel()) ?? null; }

/** What pointers do: take a building and carry it, set corners, choose a place. */
function hands(host: HTMLElement, view: SceneView): () => void {
  let grip: { building: Standing; from: Xyz; pose: Pose; z: number; hasMoved: boolean } | null = null, down: [number, number] | null = null;
  const onDown = (e: PointerEvent): void => {
    if (e.button !== 0 || e.shiftKey) return;
    const [x, y] = spotOf(e);
    down = [x, y];
    if (tool.value !== "move") return;
    const id = view.nodeAt(x, y), b = id ? standingOf(id) : undefined;
    if (!b || (isOfMap(b.id) && chosen.value !== b.id) || node.value?.kind === "storey" || node.value?.kind === "space") return;
    const z = poseOf(b).at[2], from = view.pointAt(x, y, z);
    if (!from) return;
    grip = { building: b, from, pose: poseOf(b), z, hasMoved: false };
    view.lock(true);
    host.setPointerCapture(e.pointerId);
  };
  const onMove = (e: PointerEvent): void => {
    if (!grip) return;
    const [x, y] = spotOf(e), to = view.pointAt(x, y, grip.z);
    if (!to || (!grip.hasMoved && down && Math.hypot(x - down[0], y - down[1]) < 4)) return;
    if (!grip.hasMoved) { grip.hasMoved = true; chosen.value = grip.building.id; }
    hold(grip.building.id, { at: [grip.pose.at[0] + to[0] - grip.from[0], grip.pose.at[1] + to[1] - grip.from[1], grip.pose.at[2]], heading: grip.pose.heading });
  };
  const onUp = (e: PointerEvent): void => {
    const [x, y] = spotOf(e), isClick = down !== null && Math.hypot(x - down[0], y - down[1]) < 4, was = grip;
    down = null; grip = null;
    view.lock(false);
    if (was?.hasMoved) { void settle(); return; }
    if (!isClick || e.button !== 0) return;
    if (tool.value === "zone") { const at = view.pointAt(x, y, groundLevel()); if (at) corners.value = [...corners.value, [round(at[0]), round(at[1])]]; return; }
    if (tool.value === "device") { const at = view.surfaceAt(x, y) ?? view.pointAt(x, y, groundLevel()); if (at) spot.value = at.map(round) as Xyz; return; }
    chosen.value = view.nodeAt(x, y) ?? "";
  };
  host.addEventListener("pointerdown", onDown, true);
  host.addEventListener("pointermove", onMove, true);
  host.addEventListener("pointerup", onUp, true);
  return () => { host.removeEventListener("pointerdown", onDown, true); host.removeEventListener("pointermove", onMove, true); host.removeEventListener("pointerup", onUp, true); };
}
const round = (v: number): number => Math.round(v * 100) / 100;
