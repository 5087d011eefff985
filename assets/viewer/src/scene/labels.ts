/** Names over buildings, names and values over rooms; the writing yields to alarms and to the selection. */
import { Vector3 } from "three";
import type { Lang, Space, Theme, TreeNode, World } from "../contract";
import { display } from "./look";
import { liftOf } from "./model";
import { paletteOf } from "./palette";
import type { Painter as Overlay } from "./paint";
import { innerPoint, type Focus, type Scope } from "./scope";
import { BOLD_FONT, FONT, labelPainter, LABEL_HEIGHT, namePainter, roomPainter, ROOM_HEIGHT, SMALL_FONT } from "./signs";
import type { Sprite, SpriteBatch } from "./sprites";
import type { StrokeBatch } from "./strokes";

export function nameOf(node: { id: string; name: string; name_zh: string }, lang: Lang): string {
  return (lang === "zh" ? node.name_zh || node.name : node.name || node.name_zh) || node.id;
}

export class Labels {
  isOn = true;
  hovered: string | null = null;
  private readonly inner = new WeakMap<Space["ring"], [number, number]>();

  constructor(private readonly world: World, private readonly scope: Scope, private readonly overlay: Overlay, private readonly batch: SpriteBatch) {}

  build(focus: Focus, theme: Theme, lang: Lang, sprites: Sprite[], strokes: StrokeBatch, corners: Vector3[], dpr: number): void {
    if (focus.level === "storey" || focus.level === "space") {
      this.rooms(focus, theme, lang, sprites);
      this.outline(focus, theme, strokes, dpr);
      this.raised(focus, theme, lang, sprites, strokes, corners, dpr);
    } else if (focus.level === "building") this.buildingBox(focus.building.bbox, theme, strokes, dpr);
    if (this.isOn) this.buildings(focus, theme, lang, sprites);
  }

  private buildings(focus: Focus, theme: Theme, lang: Lang, sprites: Sprite[]): void {
    const palette = paletteOf(theme);
    for (const building of this.scope.buildings.values()) {
      if (focus.level !== "park" && focus.building.id === building.id) continue;
      const node = this.world.byIndex.get(building.node);
      const name = node ? nameOf(node, lang) : building.id;
      const width = Math.ceil(this.batch.measure(name, BOLD_FONT)) + 12;
      sprites.push({
        key: `b:${name}`, width, height: 24, at: new Vector3((building.bbox[0]! + building.bbox[3]!) / 2, (building.bbox[1]! + building.bbox[4]!) / 2, building.bbox[5]!),
        dx: 0, dy: -4, alpha: focus.level === "park" || focus.level === "building" ? 1 : 0.75, behind: 1,
        paint: namePainter(name, width, palette, theme === "dark"), pick: { kind: "node", id: building.id }, rank: 8, isLabel: true,
      });
    }
  }

  private middle(space: Space): [number, number] {
    let at = this.inner.get(space.ring);
    if (!at) this.inner.set(space.ring, (at = innerPoint(space.ring)));
    return at;
  }

  private rooms(focus: Focus & { level: "storey" | "space" }, theme: Theme, lang: Lang, sprites: Sprite[]): void {
    const unit = this.overlay.ramp ? this.overlay : null;
    for (const space of this.scope.spaces(focus.storey)) {
      const node: TreeNode | undefined = this.world.byIndex.get(space.i);
      if (!node) continue;
      const isChosen = focus.level === "space" && focus.space.i === space.i;
      if (!this.isOn && !isChosen) continue;
      const value = unit ? this.overlay.value(space.i) : Number.NaN;
      const text = unit ? (Number.isNaN(value) ? "—" : value.toFixed(Math.abs(value) >= 100 ? 0 : 1)) : "";
      const name = nameOf(node, lang);
      const [ink, halo] = this.overlay.inkOf(space.i, theme === "dark");
      const width = Math.ceil(Math.max(this.batch.measure(name, SMALL_FONT), this.batch.measure(text, `700 14px ${FONT}`))) + 10;
      const [x, y] = this.middle(space);
      sprites.push({
        key: `r:${name}:${text}:${ink}:${halo}`, width, height: ROOM_HEIGHT, at: new Vector3(x, y, space.z0 + 0.1), dx: 0, dy: 0, alpha: 1, behind: 1,
        paint: roomPainter(name, text, width, ink, halo), pick: { kind: "node", id: node.id }, rank: isChosen ? 1 : 7 - Math.min(1, (node.area ?? 0) / 1000), isLabel: true,
      });
    }
  }

  /** A ribbon and a low curtain about the chosen room. */
  private outline(focus: Focus & { level: "storey" | "space" }, theme: Theme, strokes: StrokeBatch, dpr: number): void {
    if (focus.level !== "space") return;
    const colour = display(paletteOf(theme).accent);
    const at = (z: number): Vector3[] => focus.space.ring.map(([x, y]) => new Vector3(x, y, z));
    strokes.loop(at(focus.space.z0 + 0.06), { colour, width: 3, behind: 0.7 }, dpr);
    strokes.loop(at(focus.space.z0 + 2.12), { colour, width: 2.6, behind: 0.8 }, dpr);
  }

  /** Dashed guides from the cut storey to the raised ones, and the words that say they were raised. */
  private raised(focus: Focus & { level: "storey" | "space" }, theme: Theme, lang: Lang, sprites: Sprite[], strokes: StrokeBatch, corners: Vector3[], dpr: number): void {
    const above = focus.building.storeys.filter((s) => s.elevation > focus.storey.elevation + 0.5).sort((a, b) => a.elevation - b.elevation);
    if (!above.length || !corners.length) return;
    const palette = paletteOf(theme), lift = liftOf(focus.building), top = focus.storey.elevation + focus.storey.height;
    for (const corner of corners) {
      strokes.line(new Vector3(corner.x, corner.y, focus.storey.elevation + 2.1), new Vector3(corner.x, corner.y, top + lift),
        { colour: display(palette.ghostLine), alpha: 0.7, width: 1.2, dash: 9, behind: 0.5 }, dpr);
    }
    const names = above.length > 1 ? `${above[0]!.name}–${above[above.length - 1]!.name}` : above[0]!.name;
    const text = lang === "zh" ? `${names} 已升起` : `${names} raised`;
    const nameWidth = this.batch.measure(text, BOLD_FONT), width = Math.ceil(nameWidth) + 18;
    const at = corners.reduce((best, c) => (c.x < best.x ? c : best), corners[0]!);
    sprites.push({
      key: `up:${text}`, width, height: LABEL_HEIGHT, at: new Vector3(at.x, at.y, top + lift), dx: 0, dy: 16, alpha: 0.92, behind: 1,
      paint: labelPainter(text, "", nameWidth, width, palette), rank: 6.5, isLabel: true,
    });
  }

  private buildingBox(b: number[], theme: Theme, strokes: StrokeBatch, dpr: number): void {
    const colour = display(paletteOf(theme).accent);
    const at = (z: number): Vector3[] => [[b[0], b[1]], [b[3], b[1]], [b[3], b[4]], [b[0], b[4]]].map(([x, y]) => new Vector3(x, y, z));
    const low = at(b[2]! + 0.3), high = at(b[5]! + 0.3);
    strokes.loop(low, { colour, width: 2.4, behind: 0.15 }, dpr);
    strokes.loop(high, { colour, width: 1.6, alpha: 0.8, behind: 0.2 }, dpr);
    for (let i = 0; i < 4; i++) strokes.line(low[i]!, high[i]!, { colour, width: 1.2, alpha: 0.5, behind: 0.15 }, dpr);
  }
}
