/** Where the camera goes: the park from a good angle, a building, a storey, a room, a thing. */
import { PerspectiveCamera, Vector3 } from "three";
import type { CameraState, Margins, World } from "../contract";
import { groundOf } from "../ground";
import type { OrbitCamera, Pose } from "./camera";
import type { Focus, Scope } from "./scope";

/** The furthest the first view stands off, metres; a district opens where most of its buildings stand, by squares of this side. */
const HOME_FARTHEST_METRES = 1100, HOME_SQUARE_METRES = 600;
/** Share of the picture's half that the buildings may take in the first view: signs stand above them. */
const HOME_WIDE = 0.93, HOME_HIGH = 0.84;
/** How far below the middle of the picture the buildings' middle lies: what is nearer than they are does not fill the foreground. */
const HOME_DOWN = 0.15;
/** A wall may be wider than this; a building is no lower for it. */
const WIDEST = 2.1;
const NO_MARGINS: Margins = { left: 0, right: 0, top: 0, bottom: 0 };
/** The azimuth of a place's own view, where no former one is kept. */
const OWN_AZIMUTH = 0.55;
/** More boxes than this are fitted into the picture as the one round them all. */
const MOST_BOXES = 500;
const least = (boxes: number[][], k: number): number => boxes.reduce((found, box) => Math.min(found, box[k]!), Infinity);
const most = (boxes: number[][], k: number): number => boxes.reduce((found, box) => Math.max(found, box[k]!), -Infinity);
const TALL = 2 * Math.tan((27.5 * Math.PI) / 360);

export class Poses {
  private ofMap: number[][] | null = null;
  /** The picture that a view is for; null = the camera's own, all of it free. */
  private picture: { aspect: number; margins: Margins } | null = null;

  constructor(private readonly world: World, private readonly scope: Scope, private readonly orbit: OrbitCamera) {}

  /** Every building in the picture, as near as that allows. */
  home(): Pose {
    const [x0, y0, x1, y1] = this.coreBounds();
    const across = Math.hypot(x1 - x0, y1 - y0);
    const pose: Pose = { target: new Vector3((x0 + x1) / 2, (y0 + y1) / 2, this.level() + 4), distance: Math.max(300, across), azimuth: OWN_AZIMUTH, polar: 1.16 };
    const corners = this.corners();
    if (!corners.length) return { ...pose, distance: Math.min(HOME_FARTHEST_METRES, Math.max(200, across)) };
    for (let step = 0; step < 8; step++) this.fit(pose, corners);
    if (pose.distance <= HOME_FARTHEST_METRES) return pose;
    const [x, y] = this.crowd(pose.target.x, pose.target.y);
    pose.target.set(x, y, pose.target.z);
    pose.distance = HOME_FARTHEST_METRES;
    return pose;
  }

  /** The middle of the square with the most buildings; of equals, of the one nearest to (x, y). Metres. */
  private crowd(x: number, y: number): [number, number] {
    const squares = new Map<string, { x: number; y: number; count: number }>();
    for (const b of this.boxes) {
      const [mx, my] = [(b[0]! + b[3]!) / 2, (b[1]! + b[4]!) / 2], key = `${Math.floor(mx / HOME_SQUARE_METRES)},${Math.floor(my / HOME_SQUARE_METRES)}`;
      const square = squares.get(key) ?? { x: 0, y: 0, count: 0 };
      squares.set(key, { x: square.x + mx, y: square.y + my, count: square.count + 1 });
    }
    const fullest = Math.max(...[...squares.values()].map((one) => one.count));
    const middles = [...squares.values()].filter((one) => one.count === fullest).map((one): [number, number] => [one.x / fullest, one.y / fullest]);
    return middles.reduce((best, one) => (Math.hypot(one[0] - x, one[1] - y) < Math.hypot(best[0] - x, best[1] - y) ? one : best));
  }

  /** Takes the pose nearer or further and to the side until the corners fill the picture. */
  private fit(pose: Pose, corners: Vector3[]): void {
    const { camera } = this.orbit;
    const eye = new PerspectiveCamera(camera.fov, this.aspect, 1, 1e6);
    const flat = Math.sin(pose.polar) * pose.distance;
    eye.up.set(0, 0, 1);
    eye.position.set(pose.target.x + Math.sin(pose.azimuth) * flat, pose.target.y - Math.cos(pose.azimuth) * flat, pose.target.z + Math.cos(pose.polar) * pose.distance);
    eye.lookAt(pose.target);
    eye.updateMatrixWorld();
    let left = Infinity, right = -Infinity, low = Infinity, high = -Infinity;
    for (const corner of corners) {
      const at = corner.clone().project(eye);
      if (at.z > 1) { pose.distance *= 1.6; return; } // behind the eye, where it would be seen upside down
      left = Math.min(left, at.x); right = Math.max(right, at.x); low = Math.min(low, at.y); high = Math.max(high, at.y);
    }
    const wide = (pose.distance * TALL * eye.aspect) / 2, tall = (pose.distance * TALL) / 2;
    const free = this.free, aside = ((left + right) / 2 - free.x) * wide, away = (((low + high) / 2 - free.y + HOME_DOWN) * tall) / Math.cos(pose.polar) * 0.5;
    pose.target.x += Math.cos(pose.azimuth) * aside - Math.sin(pose.azimuth) * away;
    pose.target.y += Math.sin(pose.azimuth) * aside + Math.cos(pose.azimuth) * away;
    pose.distance *= Math.min(1.6, Math.max(0.6, Math.max((right - left) / 2 / (HOME_WIDE * free.wide), (high - low) / 2 / (HOME_HIGH * free.high))));
  }

  private get aspect(): number { return this.picture?.aspect ?? this.orbit.camera.aspect; }

  /** The part of the picture that no panel covers: its middle (−1..1) and its shares. */
  private get free(): { x: number; y: number; wide: number; high: number } {
    const { left, right, top, bottom } = this.picture?.margins ?? NO_MARGINS;
    return { x: left - right, y: bottom - top, wide: Math.max(0.2, 1 - left - right), high: Math.max(0.2, 1 - top - bottom) };
  }

  /** Moves a pose so that what filled the middle of the picture fills the middle of its free part. */
  private intoFree(pose: Pose): Pose {
    const { x, y, high } = this.free, { aspect } = this, { azimuth: a, polar: p } = pose, distance = pose.distance / high;
    const tall = (distance * TALL) / 2, right = -x * tall * aspect, up = -y * tall;
    const target = pose.target.clone().add(new Vector3(Math.cos(a) * right - Math.sin(a) * Math.cos(p) * up, Math.sin(a) * right + Math.cos(a) * Math.cos(p) * up, Math.sin(p) * up));
    return { target, distance, azimuth: a, polar: p };
  }

  /** A place's own view, whatever was seen before. */
  own(id: string, aspect: number, margins: Margins): CameraState {
    this.picture = { aspect, margins };
    try { return this.ownIn(id); } finally { this.picture = null; }
  }

  private ownIn(id: string): CameraState {
    const { focus, device } = this.scope.focusOf(id), isPark = id === "park" || id === this.world.park.id || this.world.byId.get(id)?.kind === "park";
    const pose = device ? this.at(new Vector3(...device.pos), focus.level === "park" ? 110 : 34) : isPark ? this.home() : focus.level === "park" ? this.node(id) : this.focus(focus);
    const own = { ...pose, azimuth: OWN_AZIMUTH }, placed = isPark ? own : this.intoFree(own);
    return { target: placed.target.toArray(), distance: placed.distance, azimuth: placed.azimuth, polar: placed.polar, metresPerPixel: 1 };
  }

  /** Of the buildings with a model; of the map's own where there is none. */
  private get boxes(): number[][] {
    if (this.scope.buildings.size) return [...this.scope.buildings.values()].map((b) => b.bbox);
    return (this.ofMap ??= this.world.places.ofKind("building").map((node) => node.bbox).filter((box) => box.every(Number.isFinite)));
  }

  private corners(): Vector3[] {
    const { boxes } = this, [x0, y0, x1, y1] = this.coreBounds();
    return (boxes.length > MOST_BOXES ? [[x0, y0, least(boxes, 2), x1, y1, most(boxes, 5)]] : boxes).flatMap((b) =>
      [b[0]!, b[3]!].flatMap((x) => [b[1]!, b[4]!].flatMap((y) => [b[2]!, b[5]!].map((z) => new Vector3(x, y, z)))));
  }

  /** The middle of what matters: the buildings when there are any, else the park's bounds, metres. */
  private coreBounds(): [number, number, number, number] {
    const { boxes } = this;
    if (!boxes.length) return this.parkBounds(200);
    return [least(boxes, 0), least(boxes, 1), most(boxes, 3), most(boxes, 4)];
  }

  private parkBounds(otherwise: number): [number, number, number, number] {
    const b = this.world.park.bounds;
    return b.length >= 6 ? [b[0]!, b[1]!, b[3]!, b[4]!] : [b[0] ?? -otherwise, b[1] ?? -otherwise, b[2] ?? otherwise, b[3] ?? otherwise];
  }

  /** The height the first view looks at: the ground's, where buildings stand about there, else theirs; metres. */
  private level(): number {
    const { boxes } = this, { middle } = groundOf(this.world.park);
    return boxes.length ? Math.min(Math.max(middle, least(boxes, 2)), most(boxes, 5)) : middle;
  }

  /** Keeps the camera over the park. */
  setLimits(): void {
    const [x0, y0, x1, y1] = this.parkBounds(500), { low, high } = groundOf(this.world.park), { boxes } = this;
    this.orbit.limits.low.set(x0 - 100, y0 - 100, Math.min(low, least(boxes, 2)) - 60);
    this.orbit.limits.high.set(x1 + 100, y1 + 100, Math.max(high, most(boxes, 5)) + 200);
    this.orbit.limits.farthest = Math.max(600, Math.hypot(x1 - x0, y1 - y0) * 1.8);
  }

  at(target: Vector3, metresHigh: number): Pose {
    return { target, distance: metresHigh / TALL, azimuth: this.orbit.now.azimuth, polar: 0.95 };
  }

  node(id: string): Pose {
    const node = this.world.byId.get(id);
    if (!node) return this.home();
    const [x0, y0, , x1, y1] = node.bbox;
    return this.at(new Vector3(...node.anchor), Math.max(40, Math.hypot(x1 - x0, y1 - y0) || 40));
  }

  focus(focus: Focus): Pose {
    if (focus.level === "park") return this.home();
    const b = focus.building.bbox;
    const wide = Math.hypot(b[3]! - b[0]!, b[4]! - b[1]!);
    const middle = new Vector3((b[0]! + b[3]!) / 2, (b[1]! + b[4]!) / 2, (b[2]! + b[5]!) / 2);
    const shape = (this.aspect * this.free.wide) / this.free.high, aspect = Math.max(1, this.picture ? Math.min(WIDEST, shape) : shape);
    if (focus.level === "building") return { ...this.at(middle, Math.max((b[5]! - b[2]!) * 2.1, (wide / aspect) * 1.75)), polar: 1.08 };
    middle.z = focus.storey.elevation + 1;
    if (focus.level === "storey") return { ...this.at(middle, Math.max(26, (wide / aspect) * 1.75)), polar: 0.84 };
    const xs = focus.space.ring.map((p) => p[0]), ys = focus.space.ring.map((p) => p[1]);
    const room = Math.hypot(Math.max(...xs) - Math.min(...xs), Math.max(...ys) - Math.min(...ys));
    const at = new Vector3((Math.max(...xs) + Math.min(...xs)) / 2, (Math.max(...ys) + Math.min(...ys)) / 2, focus.space.z0 + 0.5);
    return { ...this.at(at, Math.max(14, Math.min(room * 1.9, wide))), polar: 0.8 };
  }
}
