/** What the page (src/app) and the 3D view (src/scene) promise each other. Both sides import only this. */

export type Theme = "light" | "dark";
export type Lang = "zh" | "en";

export interface TreeNode {
  i: number; id: string; kind: string; parent: number; name: string; name_zh: string;
  anchor: [number, number, number]; bbox: [number, number, number, number, number, number];
  z: number | null; h: number | null; area: number | null; tile: string;
}
export interface PointSpec { key: string; name: string; name_zh: string; unit: string; type: string; states: string[]; states_zh: string[]; low: number | null; high: number | null; set: boolean; period: number }
export interface ArgSpec { key: string; name: string; name_zh: string; unit: string; low: number | null; high: number | null; choices: string[] }
export interface CommandSpec { key: string; name: string; name_zh: string; danger: string; args: ArgSpec[]; effect: string; effect_zh: string }
export interface DeviceKind { id: string; pack: string; name: string; name_zh: string; symbol: string; points: PointSpec[]; commands: CommandSpec[] }
export interface Device { i: number; id: string; kind: string; name: string; name_zh: string; parent: number; pos: [number, number, number]; slot: number }
export interface Space { i: number; parent: number; z0: number; z1: number; ring: [number, number][] }
export interface Track { i: number; id: string; kind: "person" | "vehicle"; name: string; name_zh: string; role: string }
export interface StoreyTile { id: string; node: number; index: number; name: string; elevation: number; height: number; tile: string }
export interface BuildingTiles { id: string; node: number; bbox: number[]; shell: string; storeys: StoreyTile[] }
/** A scan or a reality mesh; `count` of its points or triangles; `shown`: also before anybody asks for it. */
export interface BackgroundLayer { id: string; kind: "pointcloud" | "mesh"; name: string; name_zh: string; count: number; shown?: boolean }
export interface Park {
  id: string; name: string; name_zh: string; crs: string; origin: number[]; bounds: number[]; ground?: { low: number; middle: number; high: number }; latitude: number; longitude: number;
  build: string; demo: boolean; timezone: string; tileset: string; light: { image: string; bounds: number[] } | null; root_transform: number[]; buildings: BuildingTiles[]; backgrounds?: BackgroundLayer[];
}

/** Live columns, filled by the socket; the scene reads them, never writes. Typed arrays are indexed by slot / track / node. */
export interface LiveColumns {
  value: Float64Array; quality: Uint8Array; ageMs: Uint32Array; receivedMs: Float64Array;
  trackXyz: Float32Array; trackHeading: Float32Array; trackNode: Uint32Array; trackSeenMs: Float64Array; trackFlags: Uint8Array;
  /** channel number → value per node (NaN = none) */
  overlay: Map<number, Float32Array>;
  /** server time of the newest fixes, ms */
  fixesMs: number;
}

export interface AlarmMark { id: number; device: string; node: number; priority: number; state: string; title: string; title_zh: string; place: string; place_zh: string; raised_ms: number; at?: Xyz }

export interface Lookup<K> { get(key: K): TreeNode | undefined; has(key: K): boolean }
/** Every node from park to room. The same node is the same object each time. */
export interface Places {
  /** the highest index there is */
  highest: number;
  /** index of the parent; 0 where there is none, or no such node */
  parentOf(i: number): number;
  /** what of a kind is right under a node, or anywhere under it (itself too), or anywhere: ascending by index */
  children(of: number, kind: string): TreeNode[];
  under(of: number, kind: string): TreeNode[];
  ofKind(kind: string): TreeNode[];
}
/** The outlines of rooms. The same room is the same object each time. */
export interface Rooms {
  /** their nodes, each once */
  indices: Uint32Array;
  get(i: number): Space | undefined;
  /** those of a storey */
  of(storey: number): Space[];
}
export interface World {
  park: Park; places: Places; byIndex: Lookup<number>; byId: Lookup<string>; rooms: Rooms;
  kinds: Map<string, DeviceKind>; devices: Device[]; deviceById: Map<string, Device>; tracks: Track[]; live: LiveColumns;
}

export interface Ramp { breaks: number[]; colours: string[]; none: string }

export interface SceneEvents {
  /** A person clicked: a node id (building, storey, space), a device id, a track, or nothing. */
  pick: (what: { kind: "node" | "device" | "track" | "alarm" | "none"; id: string; additive: boolean }) => void;
  hover: (what: { kind: string; id: string; x: number; y: number } | null) => void;
  /** Loading progress of tiles, 0..1; 1 when what is in view has arrived. */
  progress: (share: number) => void;
  firstFrame: (ms: number) => void;
  camera: (state: CameraState) => void;
  lost: (isLost: boolean) => void;
}
export interface CameraState { target: [number, number, number]; distance: number; azimuth: number; polar: number; metresPerPixel: number }

/** Left, top, right, bottom in css pixels of the whole picture. */
export type Box = [number, number, number, number];
/** Where the screens of a wall meet: bands (from, to) in css pixels of the whole picture that no word may cross. */
export interface Seams { x: [number, number][]; y: [number, number][] }
/** Shares of the picture's sides that a page's own panels cover: what is looked at keeps out of them. */
export interface Margins { left: number; right: number; top: number; bottom: number }

export type Xyz = [number, number, number];
/** What a page draws over the model, in park metres; colours are CSS colours. Parts behind the model are faded, not lost. */
export type Shape =
  | { kind: "path"; points: Xyz[]; colours: string[]; width: number; dash?: number }
  | { kind: "area"; ring: [number, number][]; holes?: [number, number][][]; z: number; fill: string; alpha: number; edge?: string; isHatched?: boolean }
  | { kind: "wall"; ring: [number, number][]; isClosed: boolean; z0: number; z1: number; fill: string; alpha: number }
  | { kind: "ring"; at: Xyz; radius: number; colour: string; width: number };

export interface SceneView {
  /** Draws a page's own shapes under a name, in place of those it had; null takes them away. */
  setShapes(name: string, shapes: Shape[] | null): void;
  /** Drill: park, building, storey, space or device id. Flies there and opens what must be open. */
  goTo(id: string, options?: { immediate?: boolean; isStill?: boolean }): void;
  /** A place's own view in a picture of a shape (width / height) of which panels cover the margins; nothing else changes it. */
  poseOf(id: string, aspect: number, margins: Margins): CameraState;
  /** The camera is where this says whenever a picture is drawn, and no hand moves it; null = let go. */
  follow(pose: (() => { state: CameraState; isMoving: boolean }) | null): void;
  select(deviceId: string | null): void;
  setTheme(theme: Theme): void;
  setLang(lang: Lang): void;
  /** Overlay channel to paint on rooms, storeys and blocks; null = none. */
  setOverlay(channel: number | null, ramp: Ramp | null): void;
  /** Layer switches: device kind ids, "people", "vehicles", "labels", "trees", "pipes" (underground mode). */
  setLayer(layer: string, isOn: boolean): void;
  setAlarms(alarms: AlarmMark[]): void;
  /** Live columns changed: slots with new values; null = only positions or overlay. */
  liveChanged(slots: Uint32Array | null): void;
  /** The line to the server is down: everything live is drawn stale. */
  setStale(isStale: boolean): void;
  setCamera(state: CameraState): void;
  getCamera(): CameraState;
  /** One picture over several windows: this one shows its own size from x, y of a larger canvas (css pixels); fullWidth 0 = alone. */
  setViewOffset(fullWidth: number, fullHeight: number, x: number, y: number): void;
  /** Signs this much larger than on a desk, no label across a seam; `clock` (ms) moves what moves by itself, so that windows agree. */
  setWall(wall: { signScale: number; seams: Seams; clock: () => number } | null): void;
  /** Where the page's own words stand: no label is drawn there. */
  setCovered(boxes: Box[]): void;
  home(): void;
  north(): void;
  screenshot(): Promise<Blob>;
  setTool(tool: "orbit" | "measure" | "section" | "xray"): void;
  /** A map: the left button pans, the right one turns. */
  setMap(isMap: boolean): void;
  /** Takes the pointer from the camera while a page drags something. */
  lock(isLocked: boolean): void;
  /** Draws a building elsewhere: column-major 4×4 from where it was built (park metres); null = where it was built. */
  setMoved(building: string, motion: number[] | null): void;
  /** The point of the level at z under a pixel (css pixels of the view), park metres; null above the horizon. */
  pointAt(x: number, y: number, z: number): Xyz | null;
  /** The point of the model under a pixel; null for the sky. */
  surfaceAt(x: number, y: number): Xyz | null;
  /** The building, storey or room under a pixel, as deep as one is drilled in. */
  nodeAt(x: number, y: number): string | null;
  on<K extends keyof SceneEvents>(event: K, handler: SceneEvents[K]): () => void;
  /** Counters for benches: frames, ms per frame, triangles, bytes, heap. */
  stats(): { frames: number; frameMs: number; triangles: number; tileBytes: number; rung: "full" | "medium" | "software"; movingRatio: number; recolourMs: number };
  dispose(): void;
}

export type CreateSceneView = (host: HTMLElement, world: World, options: { theme: Theme; lang: Lang; fetchTile?: (url: string) => Promise<ArrayBuffer> }) => SceneView;
