/**
 * What stands around the plot: the compiled park as a quiet grey model, on both sides but where a scheme takes something away.
 *
 * three.js layers say on which side a thing is drawn (1 = A, 2 = B); a removed footprint is cut out of its shared mesh.
 */
import { BufferAttribute, Color, DoubleSide, Group, InstancedMesh, LineBasicMaterial, LineSegments, Matrix4, Mesh, MeshLambertMaterial, Vector3, type BufferGeometry, type Material } from "three";
import { makeLoader } from "../scene/patch";
import type { Result } from "./api";

interface Tile { content?: { uri: string }; refine?: string; extras?: { layer?: string; building?: string }; children?: Tile[] }
interface Removable { mesh: Mesh; index: BufferAttribute; nodes: Uint32Array; cut: Mesh[] }
/** How far the model steps back: lightness, contrast, hue. */
export interface Shade { low: number; span: number; hue: [number, number, number] }

export class Standing {
  readonly root = new Group();
  private readonly shade = { low: { value: 0.5 }, span: { value: 0.5 }, hue: { value: new Color(1, 1, 1) } };
  private readonly material = this.grey("vec3(1.0)");
  private readonly leaves = this.grey("vec3(0.84, 0.93, 0.82)");
  private readonly edges = new LineBasicMaterial({ color: "#8d98a4", transparent: true, opacity: 0.4 });
  private readonly buildings = new Map<string, Group>();
  private readonly removable: Removable[] = [];
  /** Trees and lamps that came before it was known where the plot is. */
  private readonly instanced: InstancedMesh[] = [];
  private results: readonly [Result | null, Result | null] = [null, null];
  private isGone = false;

  /** `onChange(isSlow)`: the picture is out of date; slow where more is likely to follow at once. */
  constructor(private readonly tileset: string, private readonly nodeOf: (id: string) => number, private readonly onChange: (isSlow: boolean) => void) {
    this.root.rotation.x = Math.PI / 2;
  }

  setShade(shade: Shade): void { this.shade.hue.value.setRGB(...shade.hue); this.shade.low.value = shade.low; this.shade.span.value = shade.span; }

  /** What the schemes take away. */
  setResults(results: readonly [Result | null, Result | null]): void {
    this.results = [...results];
    if (results[0] ?? results[1]) for (const mesh of this.instanced.splice(0)) this.splitTrees(mesh);
    this.place();
  }

  dispose(): void {
    this.isGone = true;
    this.root.traverse((o) => { if (o instanceof Mesh || o instanceof LineSegments) (o.geometry as BufferGeometry).dispose(); });
    for (const material of [this.material, this.leaves, this.edges]) material.dispose();
  }

  async load(onProgress: (done: number, total: number) => void): Promise<void> {
    const base = this.tileset.replace(/[^/]*$/, ""), loader = makeLoader();
    const tree = ((await (await fetch(this.tileset, { credentials: "same-origin" })).json()) as { root: Tile }).root;
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
        onProgress(++done, done + wanted.length);
        this.onChange(true);
      }
    };
    await Promise.all([next(), next(), next(), next()]);
    this.place();
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
    this.root.add(root);
    this.root.updateMatrixWorld(true);
    for (const mesh of found) {
      if (!(mesh instanceof InstancedMesh)) continue;
      if (this.results[0] ?? this.results[1]) this.splitTrees(mesh); else this.instanced.push(mesh);
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

  private place(): void {
    for (const root of this.root.children) this.placeOne(root as Group);
    this.cutRemoved();
    this.onChange(false);
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

  /** Albedo towards grey at under half its contrast, darker in corners (alpha is ambient occlusion). */
  private grey(tint: string): MeshLambertMaterial {
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
}

function isInside(x: number, y: number, ring: [number, number][]): boolean {
  let is = false;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
    const [xi, yi] = ring[i]!, [xj, yj] = ring[j]!;
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) is = !is;
  }
  return is;
}
