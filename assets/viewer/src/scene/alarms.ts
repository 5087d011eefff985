/** Alarms over the model: a pole and a plate with shape, colour, figure and words; a tag at the edge when the place is out of sight. */
import { Vector3, type PerspectiveCamera } from "three";
import type { AlarmMark, Lang, Theme, World } from "../contract";
import { display } from "./look";
import { liftOf } from "./model";
import { paletteOf } from "./palette";
import type { Focus, Scope } from "./scope";
import { BLINK } from "./shaders";
import type { StateTexture } from "./state";
import { beaconPainter, BEACON_HEIGHT, BOLD_FONT, edgePainter, EDGE_HEIGHT, markPainter, SMALL_FONT } from "./signs";
import type { Sprite, SpriteBatch } from "./sprites";
import type { StrokeBatch } from "./strokes";

const MOST_TAGS = 4, INSET = 12;
/** Highest place of a beacon's foot in the picture, −1..1, so that the plate above it stays inside. */
const HEAD_ROOM = 0.78;

/** Shortens a pole whose foot is in the picture until its head is too. */
function lowerIntoView(head: Vector3, foot: Vector3, camera: PerspectiveCamera): void {
  const low = foot.clone().project(camera);
  if (Math.abs(low.y) > HEAD_ROOM || low.z > 1) return;
  for (let k = 0; k < 12 && head.clone().project(camera).y > HEAD_ROOM; k++) head.z = foot.z + (head.z - foot.z) * 0.8;
}

/** States nobody is called for. */
const QUIET = new Set(["cleared", "shelved", "suppressed", "out_of_service"]);
export class AlarmSigns {
  marks: AlarmMark[] = [];
  private rooms = new Set<number>();

  constructor(private readonly world: World, private readonly scope: Scope, private readonly batch: SpriteBatch) {}

  get hasPulse(): boolean { return this.marks.some((a) => a.priority <= 2 && a.state === "unacknowledged"); }

  /** Where an alarm stands: its device, else its node's middle. */
  placeOf(alarm: AlarmMark): Vector3 | null {
    if (alarm.at) return new Vector3(...alarm.at);
    const device = this.world.deviceById.get(alarm.device);
    if (device) return new Vector3(...device.pos);
    const node = this.world.byIndex.get(alarm.node);
    return node ? new Vector3(...node.anchor) : null;
  }

  /**
   * Says which buildings are red and marks the rooms; answers whether anything changed.
   *
   * Urgent alarms (priority 1 and 2) tint until they clear; the highest one of a building gives the height.
   */
  tint(alarmed: Map<number, number>, state: StateTexture): boolean {
    const heights = new Map<number, number>(), rooms = new Set<number>();
    const urgent = this.marks.filter((a) => a.priority <= 2 && !QUIET.has(a.state)).sort((a, b) => b.priority - a.priority);
    for (const alarm of urgent) {
      const at = this.placeOf(alarm), parent = this.world.deviceById.get(alarm.device)?.parent ?? alarm.node;
      const building = this.scope.buildingOf(parent);
      if (building && at) heights.set(building.node, at.z);
      if (this.world.rooms.get(parent)) rooms.add(parent);
    }
    const was = [...alarmed].join() + [...this.rooms].join();
    for (const room of this.rooms) if (!rooms.has(room)) state.setFlag(room, BLINK, false);
    for (const room of rooms) state.setFlag(room, BLINK, true);
    alarmed.clear();
    for (const [node, z] of heights) alarmed.set(node, z);
    this.rooms = rooms;
    return was !== [...alarmed].join() + [...rooms].join();
  }

  private headOf(alarm: AlarmMark, foot: Vector3, focus: Focus): number {
    const building = this.scope.buildingOf(this.world.deviceById.get(alarm.device)?.parent ?? alarm.node);
    if (!building) return foot.z + 14;
    const isOpened = (focus.level === "storey" || focus.level === "space") && focus.building.id === building.id;
    const inside = this.scope.storeyOf(this.world.deviceById.get(alarm.device)?.parent ?? alarm.node);
    if (isOpened && inside && inside[1].node === focus.storey.node) return foot.z + Math.max(7, Math.min(12, liftOf(building)));
    return building.bbox[5]! + (isOpened ? liftOf(building) : 0) + 8;
  }

  build(focus: Focus, theme: Theme, lang: Lang, nowMs: number, isReduced: boolean, camera: PerspectiveCamera, width: number, height: number,
    sprites: Sprite[], strokes: StrokeBatch, dpr: number, hasTags = true): void {
    const palette = paletteOf(theme);
    const tags: { alarm: AlarmMark; x: number; y: number; metres: number }[] = [];
    const sorted = [...this.marks].filter((a) => !QUIET.has(a.state)).sort((a, b) => a.priority - b.priority || a.raised_ms - b.raised_ms);
    sorted.slice(0, 40).forEach((alarm, order) => {
      const foot = this.placeOf(alarm);
      if (!foot) return;
      const tone = palette.priority[Math.min(4, Math.max(1, alarm.priority)) - 1]!;
      const colour = display(tone.fill), edge = display(tone.edge);
      const head = new Vector3(foot.x, foot.y, this.headOf(alarm, foot, focus));
      lowerIntoView(head, foot, camera);
      const isFresh = alarm.state === "unacknowledged" && alarm.priority <= 2;
      strokes.line(foot, head, { colour, width: alarm.priority <= 2 ? 3 : 1.6, behind: 0.75 }, dpr);
      const pulse = isFresh && !isReduced ? (nowMs % 1000) / 1000 : 0.35;
      if (alarm.priority <= 2) {
        strokes.ring(new Vector3(foot.x, foot.y, foot.z + 0.15), 2 + pulse * 7, { colour, alpha: 0.9 * (1 - pulse), width: 3, behind: 0.6 }, dpr);
        strokes.ring(new Vector3(foot.x, foot.y, foot.z + 0.15), 2, { colour: edge, alpha: 0.9, width: 2.4, behind: 0.6 }, dpr);
      }
      const at = head.clone().project(camera), low = foot.clone().project(camera);
      const isSeen = Math.abs(low.x) < 0.98 && Math.abs(low.y) < 0.98 && low.z < 1;
      const pick = { kind: "alarm" as const, id: String(alarm.id) };
      if (alarm.priority <= 2 && order < 6 && (isSeen || (Math.abs(at.x) < 0.9 && Math.abs(at.y) < 0.9 && at.z < 1))) {
        const title = lang === "zh" ? alarm.title_zh || alarm.title : alarm.title || alarm.title_zh;
        const place = lang === "zh" ? alarm.place_zh || alarm.place : alarm.place || alarm.place_zh;
        const w = Math.ceil(Math.max(this.batch.measure(title, BOLD_FONT), this.batch.measure(place, SMALL_FONT))) + 58;
        sprites.push({ key: `a:${alarm.priority}:${title}:${place}`, width: w, height: BEACON_HEIGHT, at: head, dx: w / 2 - 20, dy: BEACON_HEIGHT / 2 - 4,
          alpha: 1, behind: 1, paint: beaconPainter(alarm.priority, title, place, w, palette), pick, rank: 0 + order * 0.01, isLabel: true });
      }
      sprites.push({ key: `m:${alarm.priority}`, width: 30, height: 30, at: head, dx: 0, dy: 8, alpha: 1, behind: 1,
        paint: markPainter(alarm.priority, palette), pick, rank: 0.9 + order * 0.001, isLabel: false });
      if (!isSeen) {
        const flip = low.z > 1 ? -1 : 1;
        tags.push({ alarm, x: low.x * flip, y: low.y * flip, metres: Math.hypot(foot.x - camera.position.x, foot.y - camera.position.y) });
      }
    });
    if (hasTags) tags.slice(0, MOST_TAGS).forEach((tag) => this.tag(tag, lang, theme, width, height, sprites));
  }

  private tag(tag: { alarm: AlarmMark; x: number; y: number; metres: number }, lang: Lang, theme: Theme, width: number, height: number, sprites: Sprite[]): void {
    const { alarm } = tag;
    const palette = paletteOf(theme);
    const place = lang === "zh" ? alarm.place_zh || alarm.place : alarm.place || alarm.place_zh;
    const metres = `${Math.round(tag.metres)} m`;
    const w = Math.ceil(Math.max(this.batch.measure(place, BOLD_FONT) + 16, this.batch.measure(metres, SMALL_FONT) + 32)) + 34;
    const k = 1 / Math.max(Math.abs(tag.x), Math.abs(tag.y), 1e-3);
    const clamp = (v: number, half: number, size: number): number => Math.min(size - half - INSET, Math.max(half + INSET, v));
    const x = clamp((tag.x * k * 0.5 + 0.5) * width, w / 2, width), y = clamp((0.5 - tag.y * k * 0.5) * height, EDGE_HEIGHT / 2, height);
    const angle = Math.round((Math.atan2(-tag.y, tag.x) / Math.PI) * 8) / 8 * Math.PI;
    sprites.push({ key: `e:${alarm.priority}:${place}:${metres}:${angle.toFixed(2)}`, width: w, height: EDGE_HEIGHT, at: new Vector3(), dx: 0, dy: 0, alpha: 1, behind: 1,
      screen: [x, y], paint: edgePainter(alarm.priority, place, metres, angle, w, palette), pick: { kind: "alarm", id: String(alarm.id) }, rank: 0.5, isLabel: true });
  }
}
