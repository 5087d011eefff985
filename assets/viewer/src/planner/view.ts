/**
 * One camera, two scenes, one picture: what stands as a quiet grey model, and a scheme on each side of a line.
 *
 * What stands is drawn on both sides, a scheme's buildings on its own: three.js layers say which (1 = side A, 2 = side B). Each side has its own sun, so each has its own shadows. Drawn on demand.
 */
import { AmbientLight, Color, DirectionalLight, Fog, Group, Mesh, PCFShadowMap, Raycaster, Scene, Vector3, WebGLRenderer } from "three";
import type { Park, Theme } from "../contract";
import { groundOf } from "../ground";
import { OrbitCamera, type Pose } from "../scene/camera";
import { makeLoader } from "../scene/patch";
import { modelAddress, type Breach, type Result } from "./api";
import { tintGroup, type Tint } from "./facades";
import { drop, modelMeshes, schemeGroup } from "./solids";
import { Standing, type Shade } from "./standing";

export type Mode = "swipe" | "side" | "toggle";
export type Side = 0 | 1;
const SHADOW_METRES = 230;
const LOOK: Record<Theme, Shade & { sky: string; sun: number; ambient: number }> = {
  light: { sky: "#e9edf0", sun: 2.0, ambient: 2.15, low: 0.62, span: 0.36, hue: [1, 1, 1] },
  dark: { sky: "#141d2e", sun: 1.15, ambient: 0.95, low: 0.36, span: 0.34, hue: [0.8, 0.9, 1.12] },
};

export class PlannerView {
  readonly orbit: OrbitCamera;
  mode: Mode = "swipe";
  /** Where the line stands, share of the width. */
  split = 0.5;
  /** Which side the toggle shows. */
  shown: Side = 0;
  onDrawn: () => void = () => undefined;
  onProgress: (done: number, total: number) => void = () => undefined;
  draws = 0;
  private readonly box: HTMLElement;
  private readonly renderer: WebGLRenderer;
  private readonly scene = new Scene();
  private readonly suns: [DirectionalLight, DirectionalLight] = [new DirectionalLight("#fff6e8"), new DirectionalLight("#fff6e8")];
  private readonly ambient = new AmbientLight("#dfe8f2");
  private readonly standing: Standing;
  private readonly groups: [Group | null, Group | null] = [null, null];
  private readonly tints: [Group | null, Group | null] = [null, null];
  private tint: Tint = "own";
  private results: [Result | null, Result | null] = [null, null];
  private readonly resizer: ResizeObserver;
  private frame = 0; private timer = 0; private isGone = false; private needsShadows = true; private isMoving = false; private opens = 0; private wasToggle = false;

  constructor(host: HTMLElement, private readonly park: Park, nodeOf: (id: string) => number, theme: Theme) {
    this.box = document.createElement("div");
    this.box.style.cssText = "position:absolute;inset:0;overflow:hidden;outline:none";
    this.box.setAttribute("role", "application");
    host.prepend(this.box);
    this.renderer = new WebGLRenderer({ antialias: true, preserveDrawingBuffer: true });
    this.renderer.shadowMap.enabled = true;
    this.renderer.shadowMap.type = PCFShadowMap;
    this.renderer.shadowMap.autoUpdate = false;
    this.renderer.setScissorTest(true);
    this.renderer.domElement.style.cssText = "display:block;width:100%;height:100%";
    this.box.append(this.renderer.domElement);
    this.orbit = new OrbitCamera(this.box, () => this.wake());
    this.standing = new Standing(park.tileset, nodeOf, (isSlow) => { if (isSlow) this.wakeSlowly(); else { this.needsShadows = true; this.wake(); } });
    for (const [side, sun] of this.suns.entries()) {
      sun.castShadow = true;
      sun.layers.set(side + 1);
      sun.shadow.mapSize.set(2048, 2048);
      sun.shadow.bias = -0.0012;
      Object.assign(sun.shadow.camera, { left: -SHADOW_METRES, right: SHADOW_METRES, top: SHADOW_METRES, bottom: -SHADOW_METRES, near: 10, far: 1600 });
      this.scene.add(sun, sun.target);
    }
    this.ambient.layers.enable(1); this.ambient.layers.enable(2);
    this.scene.add(this.ambient, this.standing.root);
    this.setTheme(theme);
    this.resizer = new ResizeObserver(() => this.wake());
    this.resizer.observe(this.box);
    void this.standing.load((done, total) => this.onProgress(done, total));
  }

  setTheme(theme: Theme): void {
    const look = LOOK[theme];
    this.scene.background = new Color(look.sky);
    this.scene.fog = new Fog(look.sky, 700, 2400);
    this.ambient.intensity = look.ambient;
    for (const sun of this.suns) sun.intensity = look.sun;
    this.standing.setShade(look);
    this.wake();
  }

  /** Puts a worked-out scheme on a side; the camera goes to the plot the first time. */
  setResult(side: Side, result: Result | null): void {
    const old = this.groups[side];
    if (old) drop(old);
    this.groups[side] = this.tints[side] = null;
    this.results[side] = result;
    if (result) {
      const group = schemeGroup(result);
      group.traverse((o) => o.layers.set(side + 1));
      this.scene.add(group);
      this.groups[side] = group;
      this.paint(side);
      if (result.buildings.some((b) => b.modelled)) void this.addModels(group, result, side);
      if (this.opens < 2) { this.opens += 1; this.orbit.flyTo(this.homePose(result), true); this.limit(); }
    }
    this.standing.setResults(this.results);
  }

  /** What of the façades is coloured by hours of sun. */
  setTint(tint: Tint): void {
    if (this.tint === tint) return;
    this.tint = tint;
    for (const side of [0, 1] as const) this.paint(side);
    this.wake();
  }
  private paint(side: Side): void {
    const result = this.results[side], group = this.groups[side], old = this.tints[side];
    if (old) drop(old);
    this.tints[side] = null;
    if (!result || !group) return;
    const fresh = (this.tints[side] = tintGroup(result, this.tint));
    fresh.traverse((o) => o.layers.set(side + 1));
    group.add(fresh);
  }

  /** Buildings that came as IFC, when their file is here. */
  private async addModels(group: Group, result: Result, side: Side): Promise<void> {
    try {
      const root = (await makeLoader().loadAsync(modelAddress(result))).scene;
      if (this.groups[side] !== group) return;
      for (const mesh of modelMeshes(root, result)) { mesh.layers.set(side + 1); group.add(mesh); }
      this.needsShadows = true;
      this.wake();
    } catch (error) { console.warn(`the model of scheme ${result.id} did not load: ${String(error)}`); }
  }

  /** Unit vector to the sun, park frame; below the horizon there is no direct light. */
  setSun(x: number, y: number, z: number): void {
    const site = this.middle();
    for (const sun of this.suns) {
      sun.target.position.copy(site); sun.target.updateMatrixWorld();
      sun.position.set(site.x + x * 700, site.y + y * 700, site.z + Math.max(z, 0.02) * 700);
      sun.visible = true;
    }
    this.needsShadows = true;
    this.wake();
  }

  home(): void { const r = this.results[0] ?? this.results[1]; if (r) this.orbit.flyTo(this.homePose(r)); }
  /** To a breach's place; the whole plot where it is about that. */
  show(breach: Breach): void { if (breach.kind === "site") this.home(); else this.flyTo(breach.at); }
  flyTo([x, y, z]: [number, number, number]): void {
    this.orbit.flyTo({ target: new Vector3(x, y, z * 0.6), distance: 210, azimuth: this.orbit.now.azimuth, polar: 1.02 });
  }

  /** Where a park point is drawn on a side, css pixels of the view; null when that side does not show it. */
  project(at: [number, number, number], side: Side): { x: number; y: number } | null {
    const { clientWidth: w, clientHeight: h } = this.box, p = new Vector3(...at).project(this.orbit.camera);
    if (p.z > 1 || p.z < -1) return null;
    const y = (1 - p.y) * 0.5 * h;
    if (this.mode === "side") {
      const half = w / 2, x = (p.x + 1) * 0.5 * half + side * half;
      return x < side * half || x > (side + 1) * half || y < 0 || y > h ? null : { x, y };
    }
    const x = (p.x + 1) * 0.5 * w;
    if (this.mode === "toggle" ? this.shown !== side : side === 0 ? x > this.split * w : x < this.split * w) return null;
    return x < 0 || x > w || y < 0 || y > h ? null : { x, y };
  }

  /** After `mode`, `split` or `shown` changed. */
  redraw(): void { this.needsShadows ||= this.mode === "toggle" || this.wasToggle; this.wasToggle = this.mode === "toggle"; this.wake(); }

  /** Whether a scheme's own building stands between the eye and a point. */
  isHidden(at: [number, number, number], side: Side): boolean {
    const bodies: Mesh[] = [], eye = this.orbit.camera.position, to = new Vector3(...at).sub(eye);
    this.groups[side]?.traverse((o) => { if (o instanceof Mesh && o.userData.isBody) bodies.push(o); });
    const ray = new Raycaster(eye, to.clone().normalize(), 0.1, to.length() - 0.6);
    ray.layers.set(side + 1);
    return ray.intersectObjects(bodies, false).length > 0;
  }

  wake(): void {
    if (this.isGone || this.frame) return;
    clearTimeout(this.timer);
    this.frame = requestAnimationFrame((time) => { this.frame = 0; this.draw(time); });
  }

  dispose(): void {
    this.isGone = true;
    cancelAnimationFrame(this.frame); clearTimeout(this.timer);
    this.resizer.disconnect(); this.orbit.dispose();
    for (const group of this.groups) if (group) drop(group);
    this.standing.dispose();
    this.renderer.dispose(); this.box.remove();
  }

  // ------------------------------------------------------------------ drawing
  private draw(time: number): void {
    const { clientWidth: w, clientHeight: h } = this.box;
    if (!w || !h || this.isGone) return;
    const hasMoved = this.orbit.step(time), ratio = hasMoved ? 0.75 : Math.min(2, devicePixelRatio);
    if (this.renderer.getPixelRatio() !== ratio) this.renderer.setPixelRatio(ratio);
    this.renderer.setSize(w, h, false);
    const camera = this.orbit.camera, isSide = this.mode === "side";
    camera.aspect = isSide ? w / 2 / h : w / h;
    camera.fov = isSide ? 38 : 27.5; // half the width, as much of the plot
    camera.updateProjectionMatrix();
    const line = isSide ? w / 2 : this.mode === "toggle" ? (this.shown === 0 ? w : 0) : Math.round(this.split * w);
    for (const side of [0, 1] as const) {
      const x = side === 0 ? 0 : line, wide = side === 0 ? line : w - line;
      if (wide < 1) continue;
      this.renderer.setScissor(x, 0, wide, h);
      if (isSide) this.renderer.setViewport(x, 0, wide, h); else this.renderer.setViewport(0, 0, w, h);
      camera.layers.set(side + 1);
      this.renderer.shadowMap.needsUpdate = this.needsShadows;
      this.renderer.render(this.scene, camera);
    }
    this.needsShadows = false;
    this.draws += 1;
    this.onDrawn();
    if (hasMoved) { this.isMoving = true; this.wake(); } else if (this.isMoving) { this.isMoving = false; this.timer = window.setTimeout(() => this.wake(), 30); }
  }

  private middle(): Vector3 {
    const r = this.results[0] ?? this.results[1];
    if (!r) return new Vector3();
    const xs = r.site.map((p) => p[0]), ys = r.site.map((p) => p[1]);
    return new Vector3((Math.min(...xs) + Math.max(...xs)) / 2, (Math.min(...ys) + Math.max(...ys)) / 2, r.ground);
  }

  private homePose(result: Result): Pose {
    const xs = result.site.map((p) => p[0]), ys = result.site.map((p) => p[1]);
    const span = Math.hypot(Math.max(...xs) - Math.min(...xs), Math.max(...ys) - Math.min(...ys));
    const target = this.middle();
    const high = Math.max(0, ...[result, ...this.results].flatMap((r) => (r?.buildings ?? []).map((b) => b.top - b.ground)));
    target.z += 10 + high * 0.15;
    return { target, distance: Math.max(span * 2.05, high * 4.6), azimuth: -0.48, polar: 1.0 };
  }

  private limit(): void {
    const b = this.park.bounds, isBox = b.length >= 6, { low, high } = groundOf(this.park);
    this.orbit.limits.low.set((b[0] ?? -500) - 100, (b[1] ?? -500) - 100, low - 60);
    this.orbit.limits.high.set((isBox ? b[3]! : b[2] ?? 500) + 100, (isBox ? b[4]! : b[3] ?? 500) + 100, high + 200);
  }

  private wakeSlowly(): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => { this.needsShadows = true; this.wake(); }, 120);
  }
}
