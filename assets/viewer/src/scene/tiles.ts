/** The streamed half of the model: 3D Tiles in the park frame, Z up. */
import { LoadingManager, Matrix4, Vector3, type Object3D, type PerspectiveCamera } from "three";
import { Scheduler } from "3d-tiles-renderer";
import { TilesRenderer } from "3d-tiles-renderer/three";
import type { BuildingTiles, Park } from "../contract";
import { backgroundOf } from "./background";
import { makeLoader, piecesOf, type Piece, type Place } from "./patch";

export interface TileEvents { added(pieces: Piece[]): void; removed(pieces: Piece[]): void; changed(): void; known(): void; progress(share: number): void }
export type FetchTile = (url: string) => Promise<ArrayBuffer>;

export interface TileExtras { layer?: string; building?: string; storey?: number }
interface TileLike { parent: TileLike | null; geometricError?: number; extras?: TileExtras; content?: { uri?: string }; engineData?: { scene?: Object3D | null } }

/** Tiles are fetched and read as soon as the thread is free, not with the next frame: where a processor draws, that may be half a second away. */
Scheduler.requestAnimationFrame = (job) => window.setTimeout(job, 0);
Scheduler.cancelAnimationFrame = (handle) => window.clearTimeout(handle);

interface Work { rootTileset: object | null; stats: { queued: number; downloading: number; parsing: number }; processNodeQueue: { running: boolean } }

/** Bytes of loaded tiles past which the least recently seen are dropped. */
const BYTE_BUDGET = 160 * 2 ** 20;

function layerOf(tile: TileLike | null): string {
  for (let at = tile; at; at = at.parent) if (at.extras?.layer) return at.extras.layer;
  return "";
}

/** Where a tile belongs, by its address: b/<building>/far.glb, shell.glb or <storey index>.glb. */
export function placeOf(url: string, layer: string, buildings: Map<string, BuildingTiles>): Place {
  const found = /(?:^|\/)b\/([^/]+)\/(far|shell|-?\d+)\.glb/.exec(url);
  const building = found ? decodeURIComponent(found[1]!) : null;
  const owner = building ? buildings.get(building)?.node ?? 0 : 0;
  return { building, owner, storey: found && /\d/.test(found[2]!) ? Number(found[2]) : null, layer, isOpen: false };
}

export class ParkTiles {
  readonly renderer: TilesRenderer;
  private readonly held = new Map<Object3D, Piece[]>();
  /** Buildings drawn elsewhere than they were built: what takes them there, park frame. */
  private readonly moved = new Map<string, Matrix4>();
  private isLost = false;
  private height = 720;
  /** ids of background layers whose tiles are not asked for */
  readonly backgroundsOff = new Set<string>();
  /** What is hidden now and so is not fetched either. */
  isLeftOut: (tile: TileExtras) => boolean = () => false;

  constructor(park: Park, private readonly buildings: Map<string, BuildingTiles>, private readonly camera: PerspectiveCamera, events: TileEvents, fetchTile?: FetchTile) {
    const tiles = new TilesRenderer(park.tileset);
    this.renderer = tiles;
    const manager = new LoadingManager();
    manager.addHandler(/\.gl(b|tf)$/, makeLoader());
    tiles.manager = manager;
    tiles.fetchOptions = { credentials: "same-origin" };
    tiles.errorTarget = 24;
    tiles.lruCache.maxBytesSize = BYTE_BUDGET;
    tiles.lruCache.minBytesSize = BYTE_BUDGET * 0.7;
    if (fetchTile) {
      tiles.registerPlugin({ name: "fetch", fetchData: async (url: string) => new Response(await fetchTile(url)) } as never);
    }
    tiles.registerPlugin({ name: "layers", calculateTileViewError: (tile: object, target: { inView: boolean }) => {
      const isOff = this.backgroundsOff.size > 0 && this.backgroundsOff.has(backgroundOf(layerOf(tile as TileLike)) ?? "");
      target.inView = !isOff;
      return isOff;
    } } as never);
    tiles.registerPlugin({ name: "moved", calculateTileViewError: (tile: TileLike, target: { inView: boolean; error: number; distance: number }) => {
      const id = tile.extras?.building;
      if (id === undefined || !this.moved.has(id)) return false;
      target.distance = this.metresTo(id);
      target.error = ((tile.geometricError ?? 0) * this.height) / (2 * Math.tan((camera.fov * Math.PI) / 360) * target.distance);
      return true;
    } } as never);
    tiles.registerPlugin({ name: "left-out", calculateTileViewError: (tile: TileLike, target: { inView: boolean }) => {
      if (!tile.extras || !this.isLeftOut(tile.extras)) return false;
      target.inView = false;
      return true;
    } } as never);
    tiles.group.matrixAutoUpdate = false;
    if (park.root_transform?.length === 16) tiles.group.matrix.copy(new Matrix4().fromArray(park.root_transform).invert());
    tiles.group.matrixWorldNeedsUpdate = true;
    tiles.group.updateMatrixWorld(true); // else nothing would be in view until a first, empty picture was drawn
    tiles.setCamera(camera);
    tiles.addEventListener("load-model", ({ scene, tile, url }) => {
      const like = tile as unknown as TileLike;
      const pieces = piecesOf(scene, placeOf(String(url ?? like.content?.uri ?? ""), layerOf(like), buildings));
      this.held.set(scene, pieces);
      this.carry(scene, pieces);
      events.added(pieces);
    });
    tiles.addEventListener("dispose-model", ({ scene }) => {
      const pieces = this.held.get(scene);
      this.held.delete(scene);
      if (pieces) events.removed(pieces);
    });
    tiles.addEventListener("tile-visibility-change", () => events.changed());
    tiles.addEventListener("needs-update", () => events.changed());
    tiles.addEventListener("load-tileset", () => { events.known(); events.changed(); });
    tiles.addEventListener("load-error", ({ tile, url, error }) => {
      this.isLost ||= !tile;
      console.warn(`tile ${String(url)} did not load: ${String(error)}`);
    });
    tiles.addEventListener("tiles-load-end", () => { events.progress(1); events.changed(); });
  }

  /** Share of what is in view that has arrived, 0..1. */
  get progress(): number { return this.renderer.rootTileset ? this.renderer.loadProgress : 0; }

  /** Whether all that the view asked for is here, or cannot be had: nothing is fetched, read or still to be looked at. */
  get isSettled(): boolean {
    const { rootTileset, stats, processNodeQueue } = this.renderer as unknown as Work;
    return this.isLost || (rootTileset !== null && stats.queued + stats.downloading + stats.parsing === 0 && !processNodeQueue.running);
  }

  /** Draws a building elsewhere, as finely as there (park frame); null puts it back. */
  setMoved(building: string, motion: Matrix4 | null): void {
    if (motion) this.moved.set(building, motion); else this.moved.delete(building);
    for (const [scene, pieces] of this.held) if (pieces[0]?.place.building === building) this.carry(scene, pieces);
  }

  private carry(scene: Object3D, pieces: Piece[]): void {
    const motion = this.moved.get(pieces[0]?.place.building ?? ""), at = this.renderer.group.matrix, home = scene.userData.home as Matrix4 | undefined;
    if (!motion && !home) return;
    const built = home ?? (scene.updateMatrix(), scene.matrix.clone());
    scene.userData.home = built;
    scene.matrix.copy(at).invert().multiply(motion ?? new Matrix4()).multiply(at).multiply(built);
    scene.matrix.decompose(scene.position, scene.quaternion, scene.scale);
    scene.updateMatrixWorld(true);
  }

  /** How far the camera is from where a building is drawn, which its box says. */
  private metresTo(building: string): number {
    const b = this.buildings.get(building)?.bbox ?? [0, 0, 0, 0, 0, 0], low = new Vector3(b[0], b[1], b[2]), high = new Vector3(b[3], b[4], b[5]);
    return Math.max(1, low.clone().add(high).multiplyScalar(0.5).distanceTo(this.camera.position) - low.distanceTo(high) / 2);
  }

  update(camera: PerspectiveCamera, width: number, height: number): void {
    this.height = height;
    this.renderer.setResolution(camera, width, height);
    this.renderer.update();
  }

  dispose(): void { this.renderer.dispose(); }
}

/** Single tiles loaded by hand (an opened storey, a building's shell), kept while the byte budget allows. */
export class SingleTiles {
  private readonly loader = makeLoader();
  private readonly kept = new Map<string, { root: Object3D; bytes: number; seen: number }>();
  private clock = 0;

  constructor(private readonly base: string, private readonly fetchTile?: FetchTile) {}

  async load(uri: string): Promise<Object3D> {
    const had = this.kept.get(uri);
    if (had) { had.seen = ++this.clock; return had.root; }
    const url = this.base + uri.split("/").map(encodeURIComponent).join("/");
    const raw = this.fetchTile ? await this.fetchTile(url) : await this.fetchBytes(url);
    const { scene } = await this.loader.parseAsync(raw, this.base);
    scene.rotation.x = Math.PI / 2;
    scene.updateMatrixWorld(true);
    this.kept.set(uri, { root: scene, bytes: raw.byteLength, seen: ++this.clock });
    return scene;
  }

  /** Drops what was not used longest until the kept tiles fit the budget; never `inUse`. */
  trim(inUse: Set<Object3D>, budget = 48 * 2 ** 20): void {
    const old = [...this.kept].sort((a, b) => a[1].seen - b[1].seen);
    let total = old.reduce((sum, [, k]) => sum + k.bytes, 0);
    for (const [uri, { root, bytes }] of old) {
      if (total <= budget) return;
      if (inUse.has(root)) continue;
      root.traverse((o) => (o as { geometry?: { dispose(): void } }).geometry?.dispose());
      this.kept.delete(uri);
      total -= bytes;
    }
  }

  private async fetchBytes(url: string): Promise<ArrayBuffer> {
    const answer = await fetch(url, { credentials: "same-origin" });
    if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
    return answer.arrayBuffer();
  }
}
