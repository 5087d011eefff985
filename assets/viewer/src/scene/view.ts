/** The 3D view: wires model, camera, signs and pointer together and decides when anything is drawn. */
import { TextureLoader, Vector3, Vector4, NoColorSpace } from "three";
import type { CameraState, CreateSceneView, Lang, SceneEvents, SceneView, Theme, World } from "../contract";
import { AlarmSigns } from "./alarms";
import { Baker } from "./bake";
import { OrbitCamera, type Pose } from "./camera";
import { DeviceSigns } from "./devices";
import { Events } from "./events";
import { Labels } from "./labels";
import { lookOf, type Look } from "./look";
import { Materials } from "./materials";
import { liftOf, Model } from "./model";
import { Painter } from "./paint";
import { paletteOf } from "./palette";
import { Pace } from "./pace";
import { Picker } from "./picking";
import { Pointer } from "./pointer";
import { Scope, type Focus } from "./scope";
import { SpriteBatch, type Sprite } from "./sprites";
import { Stage } from "./stage";
import { StateTexture } from "./state";
import { StrokeBatch } from "./strokes";
import { ParkTiles, SingleTiles, type FetchTile } from "./tiles";
import { Measure } from "./measure";
import { TrackSigns } from "./tracks";

const MOST_LABELS = 60;
/** The widest piece of a park the first view takes in, metres; a district opens on its middle. */
const HOME_SPAN_METRES = 520;
/** Fog is tuned for a camera this far away; from higher up it thins out in proportion. */
const FOG_METRES = 450;

function highestNode(world: World): number {
  let top = 0;
  for (const node of world.tree) top = Math.max(top, node.i);
  for (const device of world.devices) top = Math.max(top, device.i);
  for (const space of world.spaces) top = Math.max(top, space.i);
  for (const values of world.live.overlay.values()) top = Math.max(top, values.length - 1);
  return top + 4096;
}

class ParkView implements SceneView {
  private readonly events = new Events();
  private readonly state: StateTexture;
  private readonly materials: Materials;
  private readonly orbit: OrbitCamera;
  private readonly stage: Stage;
  private readonly model: Model;
  private readonly scope: Scope;
  private readonly tiles: ParkTiles;
  private readonly picker: Picker;
  private readonly painter: Painter;
  private readonly strokes: StrokeBatch;
  private readonly sprites: SpriteBatch;
  private readonly devices: DeviceSigns;
  private readonly labels: Labels;
  private readonly tracks: TrackSigns;
  private readonly alarms: AlarmSigns;
  private readonly measure: Measure;
  private readonly pointer: Pointer;
  private readonly pace = new Pace();
  private readonly since = performance.now();
  private readonly box: HTMLElement;
  private readonly resizer: ResizeObserver;
  private look: Look = lookOf("light", "park");
  private focus: Focus = { level: "park" };
  private isStale = false; private isGone = false; private isLost = false; private hasFirst = false;
  private needsModel = true; private needsTiles = true; private needsSigns = true;
  private frame = 0; private timer = 0; private lastProgress = -1; private lastSigns = 0; private restSince = 0;
  private recolourMs = 0;
  private corners: Vector3[] = [];

  constructor(host: HTMLElement, private readonly world: World, private theme: Theme, private lang: Lang, fetchTile?: FetchTile) {
    this.box = document.createElement("div");
    this.box.style.cssText = "position:absolute;inset:0;overflow:hidden;outline:none";
    this.box.setAttribute("role", "application");
    if (getComputedStyle(host).position === "static") host.style.position = "relative";
    host.append(this.box);
    this.state = new StateTexture(highestNode(world));
    this.materials = new Materials(this.state);
    this.scope = new Scope(world);
    this.orbit = new OrbitCamera(this.box, () => this.wake());
    this.stage = new Stage(this.box, this.orbit.camera, this.materials);
    const base = world.park.tileset.replace(/[^/]*$/, "");
    this.model = new Model(this.stage, this.materials, new SingleTiles(base, fetchTile), new Baker(this.look), () => this.modelChanged());
    this.tiles = new ParkTiles(world.park, this.scope.buildings, this.orbit.camera, {
      added: (pieces) => this.model.add(pieces), removed: (pieces) => this.model.remove(pieces),
      changed: () => { this.needsTiles = true; this.modelChanged(); }, progress: (share) => this.progress(share),
    }, fetchTile);
    this.stage.scene.add(this.tiles.renderer.group);
    this.picker = new Picker(this.stage, this.model, this.orbit.camera);
    this.painter = new Painter(world, this.scope, this.state);
    this.strokes = new StrokeBatch(this.stage.base.depthTexture!);
    this.sprites = new SpriteBatch(this.stage.base.depthTexture!);
    this.stage.overlay.add(this.strokes.mesh, this.sprites.mesh);
    this.devices = new DeviceSigns(world, this.scope, this.sprites);
    this.labels = new Labels(world, this.scope, this.painter, this.sprites);
    this.tracks = new TrackSigns(world, this.scope);
    this.alarms = new AlarmSigns(world, this.scope, this.sprites);
    this.measure = new Measure(this.sprites);
    this.pointer = new Pointer(this.box, {
      click: (x, y, additive) => this.click(x, y, additive), hover: (x, y) => this.hover(x, y), leave: () => this.hoverNothing(),
    });
    this.box.addEventListener("keydown", (e) => { if (e.key === "Home") this.home(); });
    this.stage.canvas.addEventListener("webglcontextlost", this.onLost);
    this.stage.canvas.addEventListener("webglcontextrestored", this.onRestored);
    document.fonts?.addEventListener("loadingdone", this.onFonts);
    this.resizer = new ResizeObserver(() => this.wake());
    this.resizer.observe(this.box);
    this.loadLight();
    this.applyLook();
    this.setLimits();
    this.orbit.flyTo(this.homePose(), true);
    this.wake();
  }

  // ------------------------------------------------------------------ promises of the contract
  goTo(id: string, options?: { immediate?: boolean }): void {
    const { focus, device } = this.scope.focusOf(id);
    this.enter(focus);
    if (device && focus.level !== "park") this.orbit.flyTo(this.poseAt(new Vector3(...device.pos), 34), options?.immediate);
    else if (device) this.orbit.flyTo(this.poseAt(new Vector3(...device.pos), 110), options?.immediate);
    else if (id === "park" || id === this.world.park.id || this.world.byId.get(id)?.kind === "park") this.orbit.flyTo(this.homePose(), options?.immediate);
    else this.orbit.flyTo(focus.level === "park" ? this.nodePose(id) : this.focusPose(focus), options?.immediate);
  }

  select(deviceId: string | null): void { this.devices.selected = deviceId; this.signsChanged(); }
  setTheme(theme: Theme): void { this.theme = theme; this.sprites.clear(); this.applyLook(); }
  setLang(lang: Lang): void { this.lang = lang; this.signsChanged(); }

  setOverlay(channel: number | null, ramp: Parameters<SceneView["setOverlay"]>[1]): void {
    this.painter.setOverlay(channel, ramp);
    const tint = channel === null || !ramp ? 0 : 0.55;
    for (const role of ["solid", "ghost"] as const) this.materials.role(role).ownerTint.value = tint;
    this.recoloured();
    this.modelChanged();
  }

  setLayer(layer: string, isOn: boolean): void {
    if (layer === "people") this.tracks.hidden.people = !isOn;
    else if (layer === "vehicles") this.tracks.hidden.vehicles = !isOn;
    else if (layer === "labels") this.labels.isOn = isOn;
    else if (layer === "trees") { this.model.hasTrees = isOn; this.model.restyle(); }
    else if (layer === "pipes") { this.model.isUnderground = isOn; this.model.restyle(); this.applyLook(); }
    else if (isOn) this.devices.hidden.delete(layer);
    else this.devices.hidden.add(layer);
    this.signsChanged();
  }

  setAlarms(alarms: Parameters<SceneView["setAlarms"]>[0]): void { this.alarms.marks = alarms; this.signsChanged(); }

  liveChanged(slots: Uint32Array | null): void {
    if (slots === null) {
      this.tracks.refresh(performance.now());
      if (this.painter.channel !== null && this.painter.repaint()) { this.recoloured(); this.needsModel = true; this.stage.invalidate(false); }
    }
    this.signsChanged();
  }

  setStale(isStale: boolean): void { this.isStale = isStale; this.signsChanged(); }
  setCamera(state: CameraState): void { this.orbit.setState(state); this.moved(); }
  getCamera(): CameraState { return this.orbit.state(this.stage.height); }
  home(): void { this.orbit.flyTo(this.homePose()); }
  north(): void { this.orbit.north(); }

  async screenshot(): Promise<Blob> {
    this.draw(performance.now());
    return new Promise((resolve, reject) => this.stage.canvas.toBlob((b) => (b ? resolve(b) : reject(new Error("the picture could not be encoded"))), "image/png"));
  }

  setTool(tool: "orbit" | "measure" | "section" | "xray"): void {
    this.measure.isOn = tool === "measure";
    if (!this.measure.isOn) this.measure.clear();
    this.box.style.cursor = this.measure.isOn ? "crosshair" : "";
    const isXray = tool === "xray";
    if (this.model.isXray !== isXray) { this.model.isXray = isXray; this.model.restyle(); }
    this.signsChanged();
  }

  on<K extends keyof SceneEvents>(event: K, handler: SceneEvents[K]): () => void { return this.events.on(event, handler); }

  stats(): ReturnType<SceneView["stats"]> {
    return { frames: this.stage.draws, frameMs: this.pace.median, triangles: this.stage.triangles, tileBytes: this.model.tileBytes, rung: this.pace.rung, recolourMs: this.recolourMs };
  }

  dispose(): void {
    this.isGone = true;
    cancelAnimationFrame(this.frame);
    clearTimeout(this.timer);
    this.resizer.disconnect();
    document.fonts?.removeEventListener("loadingdone", this.onFonts);
    this.orbit.dispose(); this.pointer.dispose(); this.picker.dispose(); this.sprites.dispose(); this.strokes.dispose();
    this.tiles.dispose(); this.materials.dispose(); this.stage.dispose();
    this.box.remove();
  }

  // ------------------------------------------------------------------ where one is
  private enter(focus: Focus): void {
    this.focus = focus;
    this.painter.highlight(focus.level === "building" ? 0 : 0);
    const isOpen = focus.level === "storey" || focus.level === "space";
    this.corners = [];
    void this.model.openStorey(isOpen ? { building: focus.building, storey: focus.storey } : null)
      .then(() => { this.corners = this.model.corners(); this.applyLook(); })
      .catch((error: unknown) => console.warn(`the storey could not be opened: ${String(error)}`));
    this.signsChanged();
  }

  private applyLook(): void {
    const mood = this.model.isUnderground ? "underground" : this.model.open ? "opened" : "park";
    const look = lookOf(this.theme, mood);
    if (JSON.stringify(look) !== JSON.stringify(this.look)) { this.look = look; this.model.baker.setLook(look); this.model.rebake(); }
    this.materials.apply(this.look, paletteOf(this.theme).accent);
    this.modelChanged();
    this.signsChanged();
  }

  private homePose(): Pose {
    const [x0, y0, x1, y1] = this.coreBounds();
    const target = new Vector3((x0 + x1) / 2, (y0 + y1) / 2, 4);
    const span = Math.min(HOME_SPAN_METRES, Math.max(((x1 - x0) / Math.max(1, this.orbit.camera.aspect)) * 0.8, (y1 - y0) * 0.8, 120));
    return { target, distance: (span / (2 * Math.tan((27.5 * Math.PI) / 360))) * 0.8 + 60, azimuth: 0.55, polar: 1.2 };
  }

  /** The middle of what matters: the buildings when there are any, else the park's bounds, metres. */
  private coreBounds(): [number, number, number, number] {
    const boxes = [...this.scope.buildings.values()].map((b) => b.bbox);
    if (!boxes.length) {
      const b = this.world.park.bounds;
      return b.length >= 6 ? [b[0]!, b[1]!, b[3]!, b[4]!] : [b[0] ?? -200, b[1] ?? -200, b[2] ?? 200, b[3] ?? 200];
    }
    return [Math.min(...boxes.map((b) => b[0]!)), Math.min(...boxes.map((b) => b[1]!)), Math.max(...boxes.map((b) => b[3]!)), Math.max(...boxes.map((b) => b[4]!))];
  }

  private setLimits(): void {
    const b = this.world.park.bounds;
    const [x0, y0, x1, y1] = b.length >= 6 ? [b[0]!, b[1]!, b[3]!, b[4]!] : [b[0] ?? -500, b[1] ?? -500, b[2] ?? 500, b[3] ?? 500];
    this.orbit.limits.low.set(x0 - 100, y0 - 100, -60);
    this.orbit.limits.high.set(x1 + 100, y1 + 100, 200);
    this.orbit.limits.farthest = Math.max(600, Math.hypot(x1 - x0, y1 - y0) * 1.8);
  }

  private poseAt(target: Vector3, metresHigh: number): Pose {
    const { azimuth } = this.orbit.now;
    return { target, distance: metresHigh / (2 * Math.tan((27.5 * Math.PI) / 360)), azimuth, polar: 0.95 };
  }

  private nodePose(id: string): Pose {
    const node = this.world.byId.get(id);
    if (!node) return this.homePose();
    const [x0, y0, , x1, y1] = node.bbox;
    return this.poseAt(new Vector3(...node.anchor), Math.max(40, Math.hypot(x1 - x0, y1 - y0) || 40));
  }

  private focusPose(focus: Focus): Pose {
    if (focus.level === "park") return this.homePose();
    const b = focus.building.bbox;
    const wide = Math.hypot(b[3]! - b[0]!, b[4]! - b[1]!);
    const middle = new Vector3((b[0]! + b[3]!) / 2, (b[1]! + b[4]!) / 2, (b[2]! + b[5]!) / 2);
    const aspect = Math.max(1, this.orbit.camera.aspect);
    if (focus.level === "building") return { ...this.poseAt(middle, Math.max((b[5]! - b[2]!) * 2.1, (wide / aspect) * 1.75)), polar: 1.08 };
    middle.z = focus.storey.elevation + 1;
    if (focus.level === "storey") return { ...this.poseAt(middle, Math.max(26, (wide / aspect) * 1.75)), polar: 0.84 };
    const xs = focus.space.ring.map((p) => p[0]), ys = focus.space.ring.map((p) => p[1]);
    const room = Math.hypot(Math.max(...xs) - Math.min(...xs), Math.max(...ys) - Math.min(...ys));
    const at = new Vector3((Math.max(...xs) + Math.min(...xs)) / 2, (Math.max(...ys) + Math.min(...ys)) / 2, focus.space.z0 + 0.5);
    return { ...this.poseAt(at, Math.max(14, Math.min(room * 1.9, wide))), polar: 0.8 };
  }

  // ------------------------------------------------------------------ pointer
  private click(x: number, y: number, additive: boolean): void {
    if (this.measure.isOn) {
      const hit = this.picker.pick(x, y);
      if (hit) { this.measure.add(hit.at); this.signsChanged(); }
      return;
    }
    const sign = this.sprites.hit(x, y);
    if (sign?.sprite.pick) { this.events.emit("pick", { ...sign.sprite.pick, additive }); return; }
    const id = this.nodeUnder(x, y);
    this.events.emit("pick", id ? { kind: "node", id, additive } : { kind: "none", id: "", additive });
  }

  /** The id of the building, storey or room under a pixel, as deep as one is drilled in. */
  nodeUnder(x: number, y: number): string | null {
    const hit = this.picker.pick(x, y);
    if (!hit) return null;
    const { focus } = this;
    const own = this.world.byIndex.get(hit.node);
    const building = hit.owner ? this.scope.buildingOf(hit.owner) : hit.node ? this.scope.buildingOf(hit.node) : null;
    if (!building) return own && own.kind !== "park" && own.kind !== "zone" ? own.id : null;
    if (focus.level === "park" || focus.building.id !== building.id) return building.id;
    if (focus.level === "building") return this.scope.storeyAt(building, hit.at.z)?.id ?? building.id;
    if (own?.kind === "space") return own.id;
    if (hit.at.z < focus.storey.elevation - 0.4) return this.scope.storeyAt(building, hit.at.z)?.id ?? null;
    const space = this.scope.spaceAt(focus.storey, hit.at.x, hit.at.y);
    return (space && this.world.byIndex.get(space.i)?.id) || focus.storey.id;
  }

  private hover(x: number, y: number): void {
    const sign = this.sprites.hit(x, y)?.sprite.pick;
    const before = this.devices.hovered;
    this.devices.hovered = sign?.kind === "device" ? sign.id : null;
    if (this.devices.hovered !== before) this.signsChanged();
    if (sign) { this.box.style.cursor = "pointer"; this.events.emit("hover", { kind: sign.kind, id: sign.id, x, y }); return; }
    if (!this.stage.isStill && this.pace.rung === "software") return;
    const id = this.nodeUnder(x, y);
    this.box.style.cursor = this.measure.isOn ? "crosshair" : id ? "pointer" : "";
    this.events.emit("hover", id ? { kind: "node", id, x, y } : null);
  }

  private hoverNothing(): void { this.devices.hovered = null; this.events.emit("hover", null); }

  // ------------------------------------------------------------------ drawing
  private modelChanged(): void { this.needsModel = true; this.stage?.invalidate(false); this.wake(); }
  private signsChanged(): void { this.needsSigns = true; this.wake(); }
  private moved(): void { this.stage.invalidate(true); this.needsModel = true; this.needsTiles = true; this.wake(); }

  private recoloured(): void {
    const since = performance.now();
    this.state.flush(this.stage.renderer);
    this.recolourMs = this.painter.lastMs + performance.now() - since;
  }

  private wake(): void {
    if (this.isGone || this.isLost || this.frame) return;
    clearTimeout(this.timer);
    this.frame = requestAnimationFrame((time) => { this.frame = 0; this.draw(time); });
  }

  private draw(time: number): void {
    if (this.isGone || this.isLost) return;
    const { stage, orbit, pace } = this;
    const isResized = stage.resize(pace.rung === "software" ? 1 : 2);
    const hasMoved = orbit.step(time);
    if (hasMoved) this.events.emit("camera", this.getCamera());
    if (hasMoved || isResized) { stage.invalidate(true); this.needsModel = true; this.needsTiles = true; this.restSince = time; }
    if (this.needsTiles) { this.needsTiles = false; this.tiles.update(orbit.camera, stage.width, stage.height); this.progress(this.tiles.progress); }
    this.materials.shared.fogPerMetre!.value = this.look.fogPerMetre * Math.min(1, FOG_METRES / orbit.now.distance);
    this.state.flush(stage.renderer);
    const isBusy = hasMoved || this.tiles.progress < 1;
    pace.tick(time, hasMoved);
    let isRefining = false;
    if (isBusy || isResized) {
      if (this.needsModel) { this.needsModel = false; stage.drawModel(hasMoved ? pace.movingRatio : 1, null, !hasMoved || pace.rung !== "software"); }
    } else { this.needsModel = false; isRefining = stage.refine(); }
    this.drawSigns(time);
    stage.compose();
    if (!this.hasFirst && this.model.tileBytes > 0) { this.hasFirst = true; this.events.emit("firstFrame", performance.now() - this.since); }
    this.schedule(hasMoved, isRefining);
  }

  /** When to look again: at once while something moves, slowly while only signs do, not at all when nothing does. */
  private schedule(hasMoved: boolean, isRefining: boolean): void {
    if (hasMoved || this.needsModel || this.needsSigns || this.needsTiles) { this.wake(); return; }
    const isAlive = this.tracks.isMoving || (this.alarms.hasPulse && !this.orbit.isReduced);
    if (this.tiles.progress < 1) this.timer = window.setTimeout(() => { this.needsTiles = true; this.wake(); }, 60);
    else if (isRefining) this.timer = window.setTimeout(() => this.wake(), 16);
    else if (isAlive) this.timer = window.setTimeout(() => { this.needsSigns = true; this.wake(); }, this.pace.rung === "software" ? 90 : 33);
  }

  private drawSigns(time: number): void {
    this.needsSigns = false;
    this.lastSigns = time;
    const { stage, orbit, theme, lang, focus } = this;
    const list: Sprite[] = [];
    const { dpr } = stage;
    const metres = this.getCamera().metresPerPixel;
    this.strokes.begin();
    this.tracks.build(focus, theme, this.isStale, performance.now(), metres, list, this.strokes, dpr);
    this.devices.build(focus, this.alarms.marks, theme, lang, this.isStale, metres, list, this.strokes, dpr);
    this.labels.build(focus, theme, lang, list, this.strokes, this.corners, dpr);
    this.measure.build(theme, list, this.strokes, dpr);
    this.alarms.build(focus, theme, lang, Date.now(), orbit.isReduced, orbit.camera, stage.width, stage.height, list, this.strokes, dpr);
    this.strokes.end(stage.width * dpr, stage.height * dpr, orbit.camera.near);
    this.sprites.update(list, orbit.camera, stage.width, stage.height, dpr, MOST_LABELS);
  }

  private progress(share: number): void {
    const rounded = Math.round(share * 100) / 100;
    if (rounded === this.lastProgress) return;
    this.lastProgress = rounded;
    this.events.emit("progress", rounded);
  }

  private loadLight(): void {
    const { light } = this.world.park;
    if (!light) return;
    const url = /^(\/|https?:)/.test(light.image) ? light.image : this.world.park.tileset.replace(/tiles\/[^/]*$/, "") + light.image;
    new TextureLoader().load(url, (texture) => {
      texture.colorSpace = NoColorSpace;
      texture.flipY = false;
      this.materials.shared.lightTex!.value = texture;
      this.materials.shared.lightBounds!.value = new Vector4().fromArray(light.bounds);
      this.materials.shared.hasLight!.value = 1;
      this.modelChanged();
    }, undefined, () => console.warn("the ground light did not load"));
  }

  private readonly onFonts = (): void => { this.sprites.clear(); this.signsChanged(); };

  private readonly onLost = (event: Event): void => {
    event.preventDefault();
    this.isLost = true;
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.events.emit("lost", true);
  };

  private readonly onRestored = (): void => {
    this.isLost = false;
    this.state.texture.needsUpdate = true;
    this.sprites.clear();
    this.stage.invalidate(true);
    this.needsModel = this.needsTiles = this.needsSigns = true;
    this.events.emit("lost", false);
    this.wake();
  };
}

export const createSceneView: CreateSceneView = (host, world, options) => new ParkView(host, world, options.theme, options.lang, options.fetchTile);
export { liftOf };
