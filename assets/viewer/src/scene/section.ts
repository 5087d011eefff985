/** The section tool: buildings are cut at a height, and a handle over them is dragged up and down. */
import { Vector3, type PerspectiveCamera } from "three";
import type { Theme } from "../contract";
import { display } from "./look";
import { CUT_METRES, type Opened } from "./model";
import { paletteOf } from "./palette";
import type { Focus, Scope } from "./scope";
import { BOLD_FONT, labelPainter, LABEL_HEIGHT } from "./signs";
import type { Sprite, SpriteBatch } from "./sprites";
import type { StrokeBatch } from "./strokes";

const GRIP_PIXELS = 20, REACH_METRES = 14;

export interface SectionActions { camera(): PerspectiveCamera; size(): [number, number]; metresPerPixel(): number; moved(height: number): void; lock(isLocked: boolean): void }

/** Where the handle stands and how far the cut may go, park metres. */
export interface CutRange { x: number; y: number; low: number; high: number; height: number }

/** What there is to cut: the opened storey, the building one is at, or every building about `target`; null without any. */
export function cutRange(focus: Focus, scope: Scope, opened: Opened | null, target: Vector3): CutRange | null {
  const boxes = focus.level === "park" ? [...scope.buildings.values()].map((b) => b.bbox) : [focus.building.bbox];
  if (!boxes.length) return null;
  const high = Math.max(...boxes.map((b) => b[5]!)) + 1, low = Math.min(...boxes.map((b) => b[2]!));
  if (focus.level === "park") return { x: target.x, y: target.y, low, high, height: Math.min(low + 8, (low + high) / 2) };
  const b = boxes[0]!, x = (b[0]! + b[3]!) / 2, y = (b[1]! + b[4]!) / 2;
  if (!opened) return { x, y, low, high, height: (low + high) / 2 };
  const { elevation, height } = opened.storey;
  return { x, y, low: elevation, high: elevation + (height || 3.5), height: elevation + CUT_METRES };
}

export class Section {
  isOn = false;
  /** where the handle stands; z is the height of the cut, park metres */
  readonly at = new Vector3();
  private low = 0; private high = 100;
  private grip: { y: number; height: number } | null = null;

  constructor(private readonly element: HTMLElement, private readonly batch: SpriteBatch, private readonly actions: SectionActions) {
    element.addEventListener("pointerdown", this.onDown, { capture: true });
    element.addEventListener("pointermove", this.onMove, { capture: true });
    element.addEventListener("pointerup", this.onUp, { capture: true });
    element.addEventListener("pointercancel", this.onUp, { capture: true });
  }

  /** Begins at the range's height, with the handle over its place. */
  start({ x, y, low, high, height }: CutRange): void {
    this.isOn = true;
    this.low = low; this.high = high;
    this.at.set(x, y, Math.min(high, Math.max(low, height)));
    this.actions.moved(this.at.z);
  }

  stop(): void { this.isOn = false; this.grip = null; }

  private place(): [number, number] {
    const [width, height] = this.actions.size(), at = this.at.clone().project(this.actions.camera());
    return [(at.x * 0.5 + 0.5) * width, (0.5 - at.y * 0.5) * height];
  }

  private local(e: PointerEvent): [number, number] {
    const box = this.element.getBoundingClientRect();
    return [e.clientX - box.left, e.clientY - box.top];
  }

  private readonly onDown = (e: PointerEvent): void => {
    if (!this.isOn || e.button !== 0) return;
    const [x, y] = this.local(e), [hx, hy] = this.place();
    if (Math.hypot(x - hx, y - hy) > GRIP_PIXELS) return;
    this.grip = { y, height: this.at.z };
    this.element.setPointerCapture?.(e.pointerId);
    this.actions.lock(true);
    e.stopImmediatePropagation();
  };

  private readonly onMove = (e: PointerEvent): void => {
    if (!this.grip) return;
    e.stopImmediatePropagation();
    const [, y] = this.local(e);
    this.at.z = Math.min(this.high, Math.max(this.low, this.grip.height + (this.grip.y - y) * this.actions.metresPerPixel()));
    this.actions.moved(this.at.z);
  };

  private readonly onUp = (e: PointerEvent): void => {
    if (!this.grip) return;
    this.grip = null;
    this.actions.lock(false);
    e.stopImmediatePropagation();
  };

  build(theme: Theme, sprites: Sprite[], strokes: StrokeBatch, dpr: number): void {
    if (!this.isOn) return;
    const palette = paletteOf(theme), colour = display(palette.accent);
    const up = this.at.clone(), down = this.at.clone();
    up.z += REACH_METRES; down.z = this.low;
    strokes.line(down, up, { colour, width: 2, behind: 0.5, dash: 6 }, dpr);
    const text = `↕ ${(this.at.z - this.low).toFixed(1)} m`;
    const nameWidth = this.batch.measure(text, BOLD_FONT), width = Math.ceil(nameWidth) + 18;
    sprites.push({ key: `sc:${text}`, width, height: LABEL_HEIGHT, at: this.at.clone(), dx: 0, dy: 0, alpha: 1, behind: 1,
      paint: labelPainter(text, "", nameWidth, width, palette, true), rank: 0.05, isLabel: true });
  }

  dispose(): void {
    this.element.removeEventListener("pointerdown", this.onDown, { capture: true });
    this.element.removeEventListener("pointermove", this.onMove, { capture: true });
    this.element.removeEventListener("pointerup", this.onUp, { capture: true });
    this.element.removeEventListener("pointercancel", this.onUp, { capture: true });
  }
}
