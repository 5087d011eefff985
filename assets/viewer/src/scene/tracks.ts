/** People and vehicles: moved evenly between their fixes, with a trail that fades; drawn outdoors and on the opened storey. */
import { Vector3 } from "three";
import type { Theme, World } from "../contract";
import { display } from "./look";
import { paletteOf } from "./palette";
import type { Focus, Scope } from "./scope";
import { trackPainter } from "./signs";
import type { Sprite } from "./sprites";
import type { StrokeBatch } from "./strokes";

const TRAIL_FIXES = 14, OLD_MS = 4000, GLIDE_MS = 1150, SHARED_GLIDE_MS = 1000;
/** From further off a trail is shorter than its own sign. */
const TRAIL_METRES_PER_PIXEL = 0.4;
const RING = 28;
const A = new Vector3(), B = new Vector3();

interface Path { from: Vector3; to: Vector3; sinceMs: number; trail: Vector3[]; seenMs: number }

export class TrackSigns {
  readonly hidden = { people: false, vehicles: false };
  /** The clock (ms) that all windows of a wall share; with it, everybody is where the fixes and the clock say, whenever a window opened. */
  clock: (() => number) | null = null;
  private readonly paths = new Map<number, Path>();

  constructor(private readonly world: World, private readonly scope: Scope) {}

  /** Takes the newest fixes from the live columns. */
  refresh(nowMs: number): void {
    const { trackXyz, trackSeenMs } = this.world.live;
    this.world.tracks.forEach((_, t) => {
      const seen = trackSeenMs[t];
      if (!seen) { this.paths.delete(t); return; }
      const at = new Vector3(trackXyz[t * 3], trackXyz[t * 3 + 1], trackXyz[t * 3 + 2]);
      const path = this.paths.get(t);
      if (!path) { this.paths.set(t, { from: at.clone(), to: at, sinceMs: nowMs, trail: [at.clone()], seenMs: seen }); return; }
      if (path.seenMs === seen) return;
      const here = this.clock ? path.to.clone() : this.position(path, nowMs);
      const isJump = here.distanceTo(at) > 60;
      path.trail.push(isJump ? at.clone() : path.to.clone());
      if (isJump) path.trail.length = 0;
      if (path.trail.length > TRAIL_FIXES) path.trail.shift();
      path.from = isJump ? at.clone() : here;
      path.to = at; path.sinceMs = nowMs; path.seenMs = seen;
    });
  }

  get isMoving(): boolean {
    for (const path of this.paths.values()) if (path.from.distanceToSquared(path.to) > 0.01) return true;
    return false;
  }

  private position(path: Path, nowMs: number): Vector3 {
    return path.from.clone().lerp(path.to, Math.min(1, Math.max(0, (nowMs - path.sinceMs) / (this.clock ? SHARED_GLIDE_MS : GLIDE_MS))));
  }

  build(focus: Focus, theme: Theme, isStale: boolean, nowMs: number, metresPerPixel: number, sprites: Sprite[], strokes: StrokeBatch, dpr: number): void {
    const palette = paletteOf(theme), colour = display(palette.accent);
    const opened = focus.level === "storey" || focus.level === "space" ? focus.storey.node : 0;
    for (const [t, path] of this.paths) {
      const track = this.world.tracks[t]!;
      if (track.kind === "person" ? this.hidden.people : this.hidden.vehicles) continue;
      const node = this.world.live.trackNode[t] ?? 0;
      const inside = node ? this.scope.storeyOf(node) : null;
      if (inside ? inside[1].node !== opened : opened !== 0 && metresPerPixel < 0.05) continue;
      const isOld = isStale || nowMs - path.sinceMs > OLD_MS;
      const here = this.position(path, nowMs);
      if (!isOld && metresPerPixel < TRAIL_METRES_PER_PIXEL) this.trail(path.trail, here, colour, t % 2 ? 6 : 0, strokes, dpr);
      const spread = (this.world.live.trackFlags[t]! >> 1) / 4;
      if (spread && !isOld && metresPerPixel < TRAIL_METRES_PER_PIXEL) this.uncertainty(here, 2 * spread, colour, strokes, dpr);
      sprites.push({
        key: `t:${track.kind}:${isOld}`, width: 22, height: 22, at: new Vector3(here.x, here.y, here.z + 1), dx: 0, dy: 6, alpha: 1, behind: 1,
        paint: trackPainter(track.kind, isOld, palette), pick: { kind: "track", id: track.id }, rank: 5.5, isLabel: false,
      });
    }
  }

  /** Two standard deviations of a place that is not exact, as a ring on the floor. */
  private uncertainty(here: Vector3, radius: number, colour: Vector3, strokes: StrokeBatch, dpr: number): void {
    for (let i = 0; i < RING; i++) {
      const a = (i / RING) * 2 * Math.PI, b = ((i + 1) / RING) * 2 * Math.PI;
      A.set(here.x + radius * Math.cos(a), here.y + radius * Math.sin(a), here.z + 0.1);
      B.set(here.x + radius * Math.cos(b), here.y + radius * Math.sin(b), here.z + 0.1);
      strokes.line(A, B, { colour, alpha: 0.4, width: 1.2, dash: 0, behind: 0.1 }, dpr);
    }
  }

  private trail(fixes: Vector3[], here: Vector3, colour: Vector3, dash: number, strokes: StrokeBatch, dpr: number): void {
    for (let i = 0; i < fixes.length; i++) {
      const share = (i + 1) / (fixes.length + 1);
      A.copy(fixes[i]!).setZ(fixes[i]!.z + 0.3);
      const next = fixes[i + 1] ?? here;
      B.copy(next).setZ(next.z + 0.3);
      strokes.line(A, B, { colour, alpha: 0.1 + 0.75 * share * share, width: 1 + 2.2 * share, dash, behind: 0.15 }, dpr);
    }
  }
}
