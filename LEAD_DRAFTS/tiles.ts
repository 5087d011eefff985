/** Streams the park's tileset into the park frame; storeys are left out here, the stage opens them one by one. */
import { Group, LoadingManager, Matrix4, type Object3D, type PerspectiveCamera, type WebGLRenderer } from "three";
import { TilesRenderer } from "3d-tiles-renderer";
import type { Park } from "../contract";
import { dress, type Dressing, tileLoader } from "./loader";

interface TileJson { content?: { uri?: string }; children?: TileJson[]; extras?: { layer?: string } }
const STOREY = /(^|\/)b\/[^/]+\/(?!shell)[^/]+\.glb/;
const BUILDING = /(^|\/)b\/([^/]+)\/shell/;

export interface LoadedTile { scene: Object3D; layer: string; building: string | null; triangles: number }

/** Drops storey tiles below each shell so that the traversal never pulls a building's inside in. */
function withoutStoreys(tile: TileJson): void {
  tile.children = (tile.children ?? []).filter((child) => !STOREY.test(child.content?.uri ?? ""));
  tile.children.forEach(withoutStoreys);
}

export class ParkTiles {
  readonly group = new Group();
  readonly loaded = new Map<Object3D, LoadedTile>();
  private readonly tiles: TilesRenderer;
  triangles = 0;
  bytes = 0;
  private isSettled = false;

  constructor(park: Park, dressingFor: (layer: string, building: string | null) => Dressing, changed: () => void) {
    const manager = new LoadingManager();
    manager.addHandler(/\.(gltf|glb)(\?|$)/, tileLoader());
    this.tiles = new TilesRenderer(park.tileset);
    this.tiles.manager = manager;
    this.tiles.fetchOptions = { credentials: "same-origin" };
    this.tiles.errorTarget = 12;
    this.tiles.lruCache.maxBytesSize = 220e6;
    this.tiles.lruCache.minBytesSize = 160e6;
    this.tiles.registerPlugin({
      fetchData: async (url: string, options: RequestInit) => {
        const answer = await fetch(url, options);
        if (!answer.ok) return answer;
        if (!/\.json(\?|$)/.test(url)) { const bytes = await answer.arrayBuffer(); this.bytes += bytes.byteLength; return bytes; }
        const json = await answer.json();
        withoutStoreys(json.root);
        return json;
      },
    } as never);
    const inverse = new Matrix4().fromArray(park.root_transform).invert();
    this.group.matrix.copy(inverse);
    this.group.matrixAutoUpdate = false;
    this.group.add(this.tiles.group);
    this.tiles.addEventListener("load-model", ((event: { scene: Object3D; tile: TileJson; url?: string }) => {
      const uri = event.tile.content?.uri ?? event.url ?? "", building = BUILDING.exec(uri)?.[2] ?? null;
      const layer = event.tile.extras?.layer ?? (building ? "buildings" : "ground");
      const triangles = dress(event.scene, dressingFor(layer, building));
      this.loaded.set(event.scene, { scene: event.scene, layer, building, triangles });
      changed();
    }) as never);
    this.tiles.addEventListener("dispose-model", ((event: { scene: Object3D }) => { this.loaded.delete(event.scene); changed(); }) as never);
    for (const name of ["needs-update", "tile-visibility-change", "load-tileset", "tiles-load-end"]) this.tiles.addEventListener(name as never, changed as never);
  }

  update(camera: PerspectiveCamera, renderer: WebGLRenderer): void {
    if (!this.tiles.hasCamera(camera)) this.tiles.setCamera(camera);
    this.tiles.setResolutionFromRenderer(camera, renderer);
    this.group.updateMatrixWorld(true);
    this.tiles.update();
    this.triangles = 0;
    for (const tile of this.loaded.values()) if (tile.scene.parent && tile.scene.visible) this.triangles += tile.triangles;
  }

  /** 0..1, and 1 once what is in view has arrived. */
  get progress(): number {
    const share = this.tiles.root ? this.tiles.loadProgress : 0;
    if (share >= 1 && this.loaded.size) this.isSettled = true;
    return this.isSettled && share >= 1 ? 1 : Math.min(share, 0.99);
  }

  dispose(): void { this.tiles.dispose(); }
}
