/** The tape: two clicks, the distance between them and its rise. */
import { Vector3 } from "three";
import type { Theme } from "../contract";
import { display } from "./look";
import { paletteOf } from "./palette";
import { BOLD_FONT, labelPainter, LABEL_HEIGHT } from "./signs";
import type { Sprite, SpriteBatch } from "./sprites";
import type { StrokeBatch } from "./strokes";

export class Measure {
  isOn = false;
  private points: Vector3[] = [];

  constructor(private readonly batch: SpriteBatch) {}

  add(at: Vector3): void { this.points = this.points.length >= 2 ? [at] : [...this.points, at]; }
  clear(): void { this.points = []; }

  build(theme: Theme, sprites: Sprite[], strokes: StrokeBatch, dpr: number): void {
    const palette = paletteOf(theme), colour = display(palette.accent);
    for (const p of this.points) strokes.line(p, p.clone().add(new Vector3(0, 0, 1)), { colour, width: 4, behind: 0.6 }, dpr);
    const [a, b] = this.points;
    if (!a || !b) return;
    strokes.line(a, b, { colour, width: 2.5, behind: 0.6 }, dpr);
    const text = `${a.distanceTo(b).toFixed(2)} m  ·  ↕ ${Math.abs(a.z - b.z).toFixed(2)} m`;
    const nameWidth = this.batch.measure(text, BOLD_FONT), width = Math.ceil(nameWidth) + 18;
    sprites.push({ key: `ms:${text}`, width, height: LABEL_HEIGHT, at: a.clone().lerp(b, 0.5), dx: 0, dy: 16, alpha: 1, behind: 1,
      paint: labelPainter(text, "", nameWidth, width, palette, true), rank: 0.1, isLabel: true });
  }
}
