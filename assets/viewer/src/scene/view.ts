/** The 3D view: wires model, camera, signs and pointer together and decides when anything is drawn. */
import { Vector3 } from "three";
import type { Box, CameraState, CreateSceneView, Lang, Margins, SceneEvents, SceneView, Seams, Shape, Theme, World, Xyz } from "../contract";
import { backgroundOf } from "./background";
import { Baker } from "./bake";
import { OrbitCamera } from "./camera";
import { Events } from "./events";
import { lookOf, type Look } from "./look";
import { loadLight } from "./light";
import { Materials } from "./materials";
import { liftOf, Model } from "./model";
import { Overlay } from "./overlay";
import { Painter } from "./paint";
import { paletteOf } from "./palette";
import { Pace } from "./pace";
import { nodeOf, Picker } from "./picking";
import { Poses } from "./poses";
import { Pointer } from "./pointer";
import { Scope, type Focus } from "./scope";
import { cutRange } from "./section";
import { Stage } from "./stage";
import { highestNode, StateTexture } from "./state";
import { ParkTiles, SingleTiles, type FetchTile, type TileExtras } from "./tiles";

/** The first picture waits this long for the rest of its tiles: drawing holds up all that is still to come. */
const PATIENCE_MS = 600;
/** Fog is tuned for a camera this far away; from higher up it thins out in proportion. */
const FOG_METRES = 450;

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
  private readonly signs: Overlay;
  private readonly poses: Poses;
  private readonly pointer: Pointer;
  private readonly pace = new Pace();
  private readonly since = performance.now();
  private readonly box: HTMLElement;
  private readonly resizer: ResizeObserver;
  private look: Look = lookOf("light", "park");
  private focus: Focus = { level: "park" };
  private wall: { signScale: number; seams: Seams; clock: () => number } | null = null;
  private covered: Box[] = [];
  private isStale = false; private isGone = false; private isLost = false; private hasFirst = false;
  private needsModel = true; private needsTiles = true; private needsSigns = true;
  private frame = 0; private timer = 0; private firstTileMs = 0; private lastProgress = -1; private restSince = 0;
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
    this.poses = new Poses(world, this.scope, this.orbit);
    this.stage = new Stage(this.box, this.orbit.camera, this.materials);
    const base = world.park.tileset.replace(/[^/]*$/, "");
    this.model = new Model(this.stage, this.materials, new SingleTiles(base, fetchTile), new Baker(this.look), (building, motion) => this.tiles.setMoved(building, motion), () => this.modelChanged());
    this.tiles = new ParkTiles(world.park, this.scope.buildings, this.orbit.camera, {
      added: (pieces) => { this.firstTileMs ||= performance.now(); this.model.add(pieces); }, removed: (pieces) => this.model.remove(pieces),
      changed: () => { this.needsTiles = true; this.modelChanged(); }, known: () => this.traverse(), progress: (share) => this.progress(share),
    }, fetchTile);
    this.tiles.isLeftOut = (tile) => this.isLeftOut(tile);
    for (const { id, shown } of world.park.backgrounds ?? []) if (shown === false) this.setBackground(id, false);
    this.stage.scene.add(this.tiles.renderer.group);
    this.picker = new Picker(this.stage, this.model, this.orbit.camera);
    this.painter = new Painter(world, this.scope, this.state);
    this.signs = new Overlay(world, this.scope, this.painter, this.stage, this.orbit, this.box, {
      metresPerPixel: () => this.getCamera().metresPerPixel, moved: (height) => { this.model.cutAt(height); this.modelChanged(); this.signsChanged(); },
    });
    this.pointer = new Pointer(this.box, {
      click: (x, y, additive) => this.click(x, y, additive), hover: (x, y) => this.hover(x, y), leave: () => this.hoverNothing(),
    });
    this.box.addEventListener("keydown", (e) => { if (e.key === "Home") this.home(); });
    this.stage.canvas.addEventListener("webglcontextlost", this.onLost);
    this.stage.canvas.addEventListener("webglcontextrestored", this.onRestored);
    document.fonts?.addEventListener("loadingdone", this.onFonts);
    this.resizer = new ResizeObserver(() => this.wake());
    this.resizer.observe(this.box);
    this.stage.resize(1); // before anything is compiled: setting the size waits for all that the driver has yet to do
    this.applyLook();
    this.poses.setLimits();
    this.orbit.flyTo(this.poses.home(), true);
    this.orbit.place();
    this.traverse();
    this.stage.warm();
    this.wake();
  }

  // ------------------------------------------------------------------ promises of the contract
  goTo(id: string, options?: { immediate?: boolean; isStill?: boolean }): void {
    const { focus, device } = this.scope.focusOf(id);
    this.enter(focus);
    if (options?.isStill) return;
    if (device && focus.level !== "park") this.orbit.flyTo(this.poses.at(new Vector3(...device.pos), 34), options?.immediate);
    else if (device) this.orbit.flyTo(this.poses.at(new Vector3(...device.pos), 110), options?.immediate);
    else if (id === "park" || id === this.world.park.id || this.world.byId.get(id)?.kind === "park") this.orbit.flyTo(this.poses.home(), options?.immediate);
    else this.orbit.flyTo(focus.level === "park" ? this.poses.node(id) : this.poses.focus(focus), options?.immediate);
  }

  poseOf(id: string, aspect: number, margins: Margins): CameraState { return this.poses.own(id, aspect, margins); }
  follow(pose: (() => { state: CameraState; isMoving: boolean }) | null): void {
    this.orbit.guide = pose && (() => { const { state, isMoving } = pose(); return { pose: { ...state, target: new Vector3(...state.target) }, isMoving }; });
    this.moved();
  }
  setWall(wall: { signScale: number; seams: Seams; clock: () => number } | null): void {
    this.wall = wall;
    this.signs.tracks.clock = wall?.clock ?? null;
    this.signs.sprites.scale = wall?.signScale ?? 1;
    this.signs.sprites.clear();
    this.signsChanged();
  }

  setCovered(boxes: Box[]): void { this.covered = boxes; this.signsChanged(); }

  select(deviceId: string | null): void { this.signs.devices.selected = deviceId; this.signsChanged(); }
  setTheme(theme: Theme): void { if (theme === this.theme) return; this.theme = theme; this.signs.sprites.clear(); this.applyLook(); }
  setLang(lang: Lang): void { if (lang === this.lang) return; this.lang = lang; this.signsChanged(); }

  setOverlay(channel: number | null, ramp: Parameters<SceneView["setOverlay"]>[1]): void {
    this.painter.setOverlay(channel, ramp);
    const tint = channel === null || !ramp ? 0 : 0.55;
    for (const role of ["solid", "ghost"] as const) this.materials.role(role).ownerTint.value = tint;
    this.recoloured();
    this.modelChanged();
  }

  setLayer(layer: string, isOn: boolean): void {
    if (layer === "people") this.signs.tracks.hidden.people = !isOn;
    else if (layer === "vehicles") this.signs.tracks.hidden.vehicles = !isOn;
    else if (layer === "labels") this.signs.labels.isOn = isOn;
    else if (layer === "trees") { this.model.hasTrees = isOn; this.model.restyle(); }
    else if (layer === "pipes") { this.model.isUnderground = isOn; this.model.restyle(); this.applyLook(); }
    else if (layer === "devices") this.signs.devices.isOn = isOn;
    else if (backgroundOf(layer) !== null) this.setBackground(backgroundOf(layer)!, isOn);
    else if (isOn) this.signs.devices.hidden.delete(layer);
    else this.signs.devices.hidden.add(layer);
    this.signsChanged();
  }

  private setBackground(id: string, isOn: boolean): void {
    for (const off of [this.model.backgroundsOff, this.tiles.backgroundsOff]) if (isOn) off.delete(id); else off.add(id);
    this.model.restyle();
    this.needsTiles = true;
    this.modelChanged();
  }

  setAlarms(alarms: Parameters<SceneView["setAlarms"]>[0]): void {
    this.signs.alarms.marks = alarms;
    if (this.signs.alarms.tint(this.materials.alarmed, this.state)) this.modelChanged();
    this.signsChanged();
  }

  liveChanged(slots: Uint32Array | null): void {
    if (slots === null) {
      this.signs.tracks.refresh(this.wall ? this.world.live.fixesMs : performance.now());
      if (this.painter.channel !== null && this.painter.repaint()) { this.recoloured(); this.needsModel = true; this.stage.invalidate(false); }
    }
    this.signsChanged();
  }

  setShapes(name: string, shapes: Shape[] | null): void { this.signs.shapes.set(name, shapes); this.signsChanged(); }
  setStale(isStale: boolean): void { this.isStale = isStale; this.signsChanged(); } setCamera(state: CameraState): void { this.orbit.setState(state); this.moved(); }
  getCamera(): CameraState { return this.orbit.state(this.stage.fullHeight); }
  setViewOffset(fullWidth: number, fullHeight: number, x: number, y: number): void {
    this.stage.setPart(fullWidth ? { fullWidth, fullHeight, x, y } : null);
    this.moved();
  }
  home(): void { this.orbit.flyTo(this.poses.home()); } north(): void { this.orbit.north(); }

  async screenshot(): Promise<Blob> {
    this.draw(performance.now());
    return new Promise((resolve, reject) => this.stage.canvas.toBlob((b) => (b ? resolve(b) : reject(new Error("the picture could not be encoded"))), "image/png"));
  }

  setTool(tool: "orbit" | "measure" | "section" | "xray"): void {
    this.signs.measure.isOn = tool === "measure";
    if (!this.signs.measure.isOn) this.signs.measure.clear();
    this.box.style.cursor = this.signs.measure.isOn ? "crosshair" : "";
    const isXray = tool === "xray", isCut = tool === "section";
    if (this.model.isXray !== isXray || this.model.isCut !== isCut) { this.model.isXray = isXray; this.model.isCut = isCut; this.model.restyle(); }
    if (isCut) this.cut(); else if (this.signs.section.isOn) { this.signs.section.stop(); this.model.uncut(); }
    this.signsChanged();
  }

  /** Starts the cut: through the building one is at, through its opened storey, or through the whole park. */
  private cut(): void {
    const range = cutRange(this.focus, this.scope, this.model.open, this.orbit.now.target);
    if (range) this.signs.section.start(range);
  }

  setMap(isMap: boolean): void { this.orbit.isMap = isMap; } lock(isLocked: boolean): void { this.orbit.isLocked = isLocked; }
  setMoved(building: string, motion: number[] | null): void {
    const found = this.scope.buildings.get(building), node = this.world.byId.get(building);
    if (!found && node) this.model.setCarried(node.i, motion);
    if (!found || !this.model.setMoved(found, motion)) return;
    this.scope.shift.set(found, motion);
    if (this.model.open?.building.id === building) void this.model.openStorey(null).then(() => this.enter(this.focus));
    this.needsTiles = true; this.signsChanged();
  }
  pointAt(x: number, y: number, z: number): Xyz | null { return this.orbit.pointAt(x, y, z)?.toArray() ?? null; }
  surfaceAt(x: number, y: number): Xyz | null { return this.picker.pick(x, y)?.at.toArray() ?? null; }
  nodeAt(x: number, y: number): string | null { return this.nodeUnder(x, y); }

  on<K extends keyof SceneEvents>(event: K, handler: SceneEvents[K]): () => void { return this.events.on(event, handler); }

  stats(): ReturnType<SceneView["stats"]> {
    return { frames: this.stage.draws, frameMs: this.pace.median, triangles: this.stage.triangles, tileBytes: this.model.tileBytes, rung: this.pace.rung, movingRatio: this.pace.movingRatio, recolourMs: this.recolourMs };
  }

  dispose(): void {
    this.isGone = true;
    this.rest();
    this.resizer.disconnect();
    document.fonts?.removeEventListener("loadingdone", this.onFonts);
    this.orbit.dispose(); this.pointer.dispose(); this.picker.dispose(); this.signs.dispose();
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
      .then(() => { this.corners = this.model.corners(); this.applyLook(); if (this.signs.section.isOn) this.cut(); })
      .catch((error: unknown) => console.warn(`the storey could not be opened: ${String(error)}`));
    this.signsChanged();
  }

  /** Pipes while nobody looks below, and of a building that is opened all but what was opened by hand: one storey. */
  private isLeftOut({ layer, building, storey }: TileExtras): boolean {
    if (layer === "pipes") return !this.model.isUnderground;
    if (building === undefined) return false;
    const { focus } = this, isEntered = (focus.level === "storey" || focus.level === "space") && focus.building.id === building;
    return building === this.model.open?.building.id || (isEntered && storey !== undefined);
  }

  private applyLook(): void {
    this.needsTiles = true;
    const mood = this.model.isUnderground ? "underground" : this.model.open ? "opened" : "park";
    const look = lookOf(this.theme, mood);
    if (JSON.stringify(look) !== JSON.stringify(this.look)) { this.look = look; this.model.baker.setLook(look); this.model.rebake(); }
    this.materials.apply(this.look, paletteOf(this.theme).accent, this.theme === "dark" ? "#ff3b30" : paletteOf(this.theme).priority[0]!.fill);
    this.modelChanged();
    this.signsChanged();
  }

  // ------------------------------------------------------------------ pointer
  private click(x: number, y: number, additive: boolean): void {
    if (this.signs.measure.isOn) {
      const hit = this.picker.pick(x, y);
      if (hit) { this.signs.measure.add(hit.at); this.signsChanged(); }
      return;
    }
    const sign = this.signs.sprites.hit(x, y);
    if (sign?.sprite.pick) { this.events.emit("pick", { ...sign.sprite.pick, additive }); return; }
    const id = this.nodeUnder(x, y);
    this.events.emit("pick", id ? { kind: "node", id, additive } : { kind: "none", id: "", additive });
  }

  /** The id of the building, storey or room under a pixel, as deep as one is drilled in. */
  nodeUnder(x: number, y: number): string | null {
    const hit = this.picker.pick(x, y);
    return hit && nodeOf(hit, this.focus, this.scope, this.world);
  }

  private hover(x: number, y: number): void {
    const sign = this.signs.sprites.hit(x, y)?.sprite.pick;
    const before = this.signs.devices.hovered;
    this.signs.devices.hovered = sign?.kind === "device" ? sign.id : null;
    if (this.signs.devices.hovered !== before) this.signsChanged();
    if (sign) { this.box.style.cursor = "pointer"; this.events.emit("hover", { kind: sign.kind, id: sign.id, x, y }); return; }
    if (!this.stage.isStill && this.pace.rung === "software") return;
    const id = this.nodeUnder(x, y);
    this.box.style.cursor = this.signs.measure.isOn ? "crosshair" : id ? "pointer" : "";
    this.events.emit("hover", id ? { kind: "node", id, x, y } : null);
  }

  private hoverNothing(): void { this.signs.devices.hovered = null; this.events.emit("hover", null); }

  // ------------------------------------------------------------------ drawing
  private modelChanged(): void { this.needsModel = true; this.stage?.invalidate(false); this.wake(); } private signsChanged(): void { this.needsSigns = true; this.wake(); }
  private moved(): void { this.stage.invalidate(true); this.needsModel = true; this.needsTiles = true; this.wake(); }

  private recoloured(): void {
    const since = performance.now();
    this.state.flush(this.stage.renderer);
    this.recolourMs = this.painter.lastMs + performance.now() - since;
  }

  private wake(): void {
    if (this.isGone || this.isLost || this.frame) return;
    clearTimeout(this.timer);
    if (this.hasFirst) this.frame = requestAnimationFrame((time) => { this.frame = 0; this.draw(time); });
    else this.frame = window.setTimeout(() => { this.frame = 0; this.draw(performance.now()); }, 10); // where a processor draws, the next frame may be a second away
  }

  private rest(): void {
    if (this.hasFirst) cancelAnimationFrame(this.frame); else clearTimeout(this.frame);
    clearTimeout(this.timer);
    this.frame = 0;
  }

  /** Asks for the tiles that the picture lacks. */
  private traverse(): void {
    this.needsTiles = false;
    this.tiles.update(this.orbit.camera, this.stage.width, this.stage.height);
  }

  /** Whether there is enough for the first picture. */
  private get isWorthDrawing(): boolean {
    return this.tiles.isSettled || (this.firstTileMs > 0 && performance.now() - this.firstTileMs > PATIENCE_MS);
  }

  private draw(time: number): void {
    if (this.isGone || this.isLost) return;
    const { stage, orbit, pace } = this;
    const isResized = stage.resize(pace.rung === "software" ? 1 : 2);
    const hasMoved = orbit.step(time);
    if (hasMoved) this.events.emit("camera", this.getCamera());
    if (hasMoved || isResized) { stage.invalidate(true); this.needsModel = true; this.needsTiles = true; this.restSince = time; }
    if (this.needsTiles || !this.hasFirst) { this.traverse(); this.progress(this.tiles.progress); }
    if (!this.hasFirst && !this.isWorthDrawing) { this.schedule(false, false); return; }
    this.materials.shared.fogPerMetre!.value = this.look.fogPerMetre * Math.min(1, FOG_METRES / orbit.now.distance);
    this.state.flush(stage.renderer);
    const isBusy = hasMoved || this.tiles.progress < 1;
    pace.tick(time, hasMoved);
    let isRefining = false;
    if (!this.hasFirst) { this.needsModel = false; stage.drawModel(1, null, false); } // the quickest there is; what follows refines it
    else if (isBusy || isResized) {
      if (this.needsModel) { this.needsModel = false; stage.drawModel(hasMoved ? pace.movingRatio : 1, null, !hasMoved || pace.rung !== "software"); }
    } else { this.needsModel = false; isRefining = stage.refine(); }
    if (this.hasFirst) this.drawSigns();
    stage.compose();
    if (!this.hasFirst) { this.hasFirst = this.needsSigns = true; loadLight(this.world.park, this.materials, () => this.modelChanged()); this.events.emit("firstFrame", performance.now() - this.since); }
    this.schedule(hasMoved, isRefining);
  }

  /** When to look again: at once while something moves, slowly while only signs do, not at all when nothing does. */
  private schedule(hasMoved: boolean, isRefining: boolean): void {
    if (!this.hasFirst) { this.timer = window.setTimeout(() => { this.needsTiles = true; this.wake(); }, 25); return; }
    if (hasMoved || this.needsModel || this.needsSigns || this.needsTiles) { this.wake(); return; }
    const isAlive = this.signs.tracks.isMoving || (this.signs.alarms.hasPulse && !this.orbit.isReduced);
    if (this.tiles.progress < 1) this.timer = window.setTimeout(() => { this.needsTiles = true; this.wake(); }, 60);
    else if (isRefining) this.timer = window.setTimeout(() => this.wake(), 16);
    else if (isAlive) this.timer = window.setTimeout(() => { this.needsSigns = true; this.wake(); }, this.pace.rung === "software" ? 90 : 33);
  }

  private drawSigns(): void {
    this.needsSigns = false;
    const { focus, theme, lang, isStale, wall, covered, corners } = this;
    this.signs.build({ focus, theme, lang, isStale, wall, covered, corners, metresPerPixel: this.getCamera().metresPerPixel });
  }

  private progress(share: number): void {
    const rounded = Math.round(share * 100) / 100;
    if (rounded === this.lastProgress) return;
    this.lastProgress = rounded;
    this.events.emit("progress", rounded);
  }

  private readonly onFonts = (): void => { this.signs.sprites.clear(); this.signsChanged(); };

  private readonly onLost = (event: Event): void => {
    event.preventDefault();
    this.isLost = true;
    this.rest();
    this.events.emit("lost", true);
  };

  private readonly onRestored = (): void => {
    this.isLost = false;
    this.state.texture.needsUpdate = true;
    this.signs.sprites.clear();
    this.stage.invalidate(true);
    this.needsModel = this.needsTiles = this.needsSigns = true;
    this.events.emit("lost", false);
    this.wake();
  };
}

export const createSceneView: CreateSceneView = (host, world, options) => new ParkView(host, world, options.theme, options.lang, options.fetchTile);
export { liftOf };
