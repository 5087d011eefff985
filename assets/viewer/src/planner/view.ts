/**
 * One camera, two scenes, one picture: the compiled park as a quiet grey model, and a scheme on each side of a line.
 *
 * What stands is drawn on both sides, a scheme's buildings on its own, a removed building only where it stays: three.js layers say
 * which (1 = side A, 2 = side B). Each side has its own sun, so each has its own shadows. Drawn on demand.
 */
import {
  AmbientLight, BufferAttribute, Color, DirectionalLight, DoubleSide, Fog, Group, InstancedMesh, LineBasicMaterial, LineSegments, Matrix4, Mesh, MeshLambertMaterial,
  PCFShadowMap, Raycaster, Scene, Vector3, WebGLRenderer, type BufferGeometry, type Material,
} from "three";
import type { Park, Theme } from "../contract";
import { OrbitCamera, type Pose } from "../scene/camera";
import { makeLoader } from "../scene/patch";
import { modelAddress, type Breach, type Result } from "./api";
import { drop, modelMeshes, schemeGroup } from "./solids";

export type Mode = "swipe" | "side" | "toggle";
export type Side = 0 | 1;
interface Tile { content?: { uri: string }; refine?: string; extras?: { layer?: string; building?: string }; children?: Tile[] }
interface Removable { mesh: Mesh; index: BufferAttribute; nodes: Uint32Array; cut: Mesh[] }
const SHADOW_METRES = 230;
const LOOK: Record<Theme, { sky: string; sun: number; ambient: number; low: number; span: number; hue: [number, number, number] }> = {
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
  private readonly context = new Group();
  private readonly shade = { low: { value: 0.5 }, span: { value: 0.5 }, hue: { value: new Color(1, 1, 1) } };
  private readonly material: MeshLambertMaterial;
  private readonly leaves: MeshLambertMaterial;
  private readonly edges = new LineBasicMaterial({ color: "#8d98a4", transparent: true, opacity: 0.4 });
  private readonly buildings = new Map<string, Group>();
  
  private readonly removable: Removable[] = [];
  /** Trees and lamps that came before it was known where the plot is. */
  private readonly instanced: InstancedMesh[] = [];
  private readonly groups: [Group | null, Group | null] = [null, null];
  private results: [Result | null, Result | null] = [null, null];
  private readonly resizer: ResizeObserver;
  private frame = 0; private timer = 0; private isGone = false; private needsShadows = true; private isMoving = false; private opens = 0; private wasToggle = false;

  constructor(host: HTMLElement, private readonly park: Park, private readonly nodeOf: (id: string) => number, theme: Theme) {
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
    this.material = this.contextMaterial("vec3(1.0)");
    this.leaves = this.contextMaterial("vec3(0.84, 0.93, 0.82)");
    for (const [side, sun] of this.suns.entries()) {
      sun.castShadow = true;
      sun.layers.set(side + 1);
      sun.shadow.mapSize.set(2048, 2048);
      sun.shadow.bias = -0.0012;
      Object.assign(sun.shadow.camera, { left: -SHADOW_METRES, right: SHADOW_METRES, top: SHADOW_METRES, bottom: -SHADOW_METRES, near: 10, far: 1600 });
      this.scene.add(sun, sun.target);
    }
    this.ambient.layers.enable(1); this.ambient.layers.enable(2);
    this.scene.add(this.ambient, this.context);
    this.context.rotation.x = Math.PI / 2;
    this.setTheme(theme);
    this.resizer = new ResizeObserver(() => this.wake());
    this.resizer.observe(this.box);
    void this.load();
  }

  setTheme(theme: Theme): void {
    const look = LOOK[theme];
    this.scene.background = new Color(look.sky);
    this.scene.fog = new Fog(look.sky, 700, 2400);
    this.ambient.intensity = look.ambient;
    for (const sun of this.suns) sun.intensity = look.sun;
    this.shade.hue.value.setRGB(...look.hue);
    this.shade.low.value = look.low; this.shade.span.value = look.span;
    this.wake();
  }

  /** Puts a worked-out scheme on a side; the camera goes to the plot the first time. */
  setResult(side: Side, result: Result | null, isTinted = false): void {
    const old = this.groups[side];
    if (old) drop(old);
    this.groups[side] = null;
    this.results[side] = result;
    if (result) {
      const group = schemeGroup(result, isTinted);
      group.traverse((o) => o.layers.set(side + 1));
      this.scene.add(group);
      this.groups[side] = group;
      if (result.buildings.some((b) => b.modelled)) void this.addModels(group, result, side);
      if (this.opens < 2) { this.opens += 1; this.orbit.flyTo(this.homePose(result), true); this.limit(); }
      for (const mesh of this.instanced.splice(0)) this.splitTrees(mesh);
    }
    this.placeContext();
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
    this.context.traverse((o) => { if (o instanceof Mesh || o instanceof LineSegments) (o.geometry as BufferGeometry).dispose(); });
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
    const b = this.park.bounds, isBox = b.length >= 6;
    this.orbit.limits.low.set((b[0] ?? -500) - 100, (b[1] ?? -500) - 100, -60);
    this.orbit.limits.high.set((isBox ? b[3]! : b[2] ?? 500) + 100, (isBox ? b[4]! : b[3] ?? 500) + 100, 200);
  }

  /** Albedo towards grey at under half its contrast, darker in corners (alpha is ambient occlusion). */
  private contextMaterial(tint: string): MeshLambertMaterial {
    const material = new MeshLambertMaterial({ vertexColors: true, side: DoubleSide, flatShading: true });
    material.onBeforeCompile = (shader) => {
      shader.uniforms.low = this.shade.low; shader.uniforms.span = this.shade.span; shader.uniforms.hue = this.shade.hue;
      shader.fragmentShader = `uniform float low; uniform float span; uniform vec3 hue;\n${shader.fragmentShader}`.replace("#include <color_fragment>", `
        vec3 own = vColor.rgb; float grey = dot(own, vec3(0.30, 0.59, 0.11));
        vec3 calm = mix(vec3(grey), own, 0.38) * span + low;
        calm *= ${tint} * hue;
        #ifdef USE_COLOR_ALPHA
          calm *= 0.62 + 0.38 * vColor.a;
        #endif
        diffuseColor.rgb = calm * calm;`);
    };
    material.customProgramCacheKey = () => tint;
    return material;
  }

  // ------------------------------------------------------------------ what stands
  private async load(): Promise<void> {
    const base = this.park.tileset.replace(/[^/]*$/, ""), loader = makeLoader();
    const tree = ((await (await fetch(this.park.tileset, { credentials: "same-origin" })).json()) as { root: Tile }).root;
    const wanted: Tile[] = [];
    const walk = (tile: Tile): void => {
      if (tile.extras?.layer === "pipes") return;
      if (tile.content) wanted.push(tile);
      if (!tile.content || tile.refine !== "REPLACE") tile.children?.forEach(walk);
    };
    walk(tree);
    let done = 0;
    const next = async (): Promise<void> => {
      for (let tile = wanted.shift(); tile && !this.isGone; tile = wanted.shift()) {
        try { this.take((await loader.loadAsync(base + tile.content!.uri)).scene, tile); }
        catch (error) { console.warn(`a tile of the surroundings did not load: ${String(error)}`); }
        this.onProgress(++done, done + wanted.length);
        this.wakeSlowly();
      }
    };
    await Promise.all([next(), next(), next(), next()]);
    this.placeContext();
  }

  private wakeSlowly(): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => { this.needsShadows = true; this.wake(); }, 120);
  }

  private take(root: Group, tile: Tile): void {
    const layer = tile.extras?.layer ?? "", isShell = Boolean(tile.extras?.building), found: (Mesh | LineSegments)[] = [];
    root.traverse((o) => { if (o instanceof Mesh || o instanceof LineSegments) found.push(o); });
    for (const mesh of found) {
      if (mesh instanceof LineSegments) { mesh.material = this.edges; mesh.visible = isShell; continue; }
      (mesh.material as Material).dispose();
      mesh.material = layer === "trees" ? this.leaves : this.material;
      mesh.castShadow = isShell || layer === "blocks" || layer === "trees";
      mesh.receiveShadow = true;
      const nodes = mesh.geometry.getAttribute("node");
      if (!isShell && !(mesh instanceof InstancedMesh) && mesh.geometry.index && nodes && layer !== "ground") {
        this.removable.push({ mesh, index: mesh.geometry.index, nodes: nodes.array as Uint32Array, cut: [] });
      }
    }
    if (tile.extras?.building) this.buildings.set(tile.extras.building, root);
    root.userData.layer = layer;
    this.context.add(root);
    this.context.updateMatrixWorld(true);
    for (const mesh of found) {
      if (!(mesh instanceof InstancedMesh)) continue;
      if (this.opens) this.splitTrees(mesh); else this.instanced.push(mesh);
    }
    this.placeOne(root);
  }

  /** Instances on the plot become a mesh of their own, which a scheme takes away. */
  private splitTrees(mesh: InstancedMesh): void {
    const site = (this.results[0] ?? this.results[1])?.site;
    if (!site) return;
    const at = new Matrix4(), spot = new Vector3(), inside: number[] = [], outside: number[] = [];
    for (let k = 0; k < mesh.count; k++) {
      mesh.getMatrixAt(k, at);
      spot.setFromMatrixPosition(at).applyMatrix4(mesh.matrixWorld);
      (isInside(spot.x, spot.y, site) ? inside : outside).push(k);
    }
    if (!inside.length) return;
    const copy = new InstancedMesh(mesh.geometry, mesh.material, inside.length);
    inside.forEach((k, i) => { mesh.getMatrixAt(k, at); copy.setMatrixAt(i, at); });
    outside.forEach((k, i) => { mesh.getMatrixAt(k, at); mesh.setMatrixAt(i, at); });
    mesh.count = outside.length;
    mesh.instanceMatrix.needsUpdate = true;
    copy.position.copy(mesh.position); copy.quaternion.copy(mesh.quaternion); copy.scale.copy(mesh.scale);
    copy.castShadow = mesh.castShadow; copy.receiveShadow = true;
    copy.userData.isPlot = true;
    mesh.parent?.add(copy);

  }

  private placeContext(): void {
    for (const root of this.context.children) this.placeOne(root as Group);
    this.cutRemoved();
    this.needsShadows = true;
    this.wake();
  }

  /** Which sides a thing that stands is drawn on. */
  private placeOne(root: Group): void {
    const key = [...this.buildings].find(([, group]) => group === root)?.[0];
    const stays = ([0, 1] as const).map((side) => !key || !this.results[side]?.removed.includes(key));
    root.traverse((o) => {
      o.layers.mask = 0;
      for (const side of [0, 1] as const) {
        const isCleared = o.userData.isPlot === true && Boolean(this.results[side]?.buildings.length);
        if (stays[side] && !isCleared) o.layers.enable(side + 1);
      }
    });
  }

  /** Footprints that a scheme removes leave their shared mesh and come back as one of their own for the other side. */
  private cutRemoved(): void {
    const gone = this.results.map((r) => new Set((r?.removed ?? []).map(this.nodeOf).filter((n) => n > 0)));
    for (const part of this.removable) {
      for (const old of part.cut.splice(0)) { old.geometry.dispose(); old.removeFromParent(); }
      const lists: number[][] = [[], [], [], []];
      const { array } = part.index;
      let isTouched = false;
      if (gone[0]!.size || gone[1]!.size) {
        for (let k = 0; k < array.length; k += 3) {
          const node = part.nodes[array[k]!]!, mask = (gone[0]!.has(node) ? 0 : 1) | (gone[1]!.has(node) ? 0 : 2);
          isTouched ||= mask !== 3;
          lists[mask]!.push(array[k]!, array[k + 1]!, array[k + 2]!);
        }
      }
      part.mesh.geometry.setIndex(isTouched ? lists[3]! : part.index);
      if (!isTouched) continue;
      for (const mask of [1, 2]) {
        if (!lists[mask]!.length) continue;
        const geometry = part.mesh.geometry.clone();
        geometry.setIndex(lists[mask]!);
        const mesh = new Mesh(geometry, this.material);
        mesh.position.copy(part.mesh.position); mesh.quaternion.copy(part.mesh.quaternion); mesh.scale.copy(part.mesh.scale);
        mesh.castShadow = mesh.receiveShadow = true;
        mesh.layers.set(mask);
        part.mesh.parent?.add(mesh);
        part.cut.push(mesh);
      }
    }
  }
}

function isInside(x: number, y: number, ring: [number, number][]): boolean {
  let is = false;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
    const [xi, yi] = ring[i]!, [xj, yj] = ring[j]!;
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) is = !is;
  }
  return is;
}
