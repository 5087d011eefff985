/** Where this window stands in the wall, and where the screens meet: no word lies across a seam. */
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Box, Margins, Seams } from "../contract";
import { clearOf } from "../seams";

/** `?cols=4&rows=2&col=1&row=0&gap=12`: this window of so many, `gap` css pixels hidden behind two bezels. Without `col` and `row`: the whole wall in one window. */
export interface Part { cols: number; rows: number; col: number; row: number; gap: number; isWhole: boolean }
export interface Canvas { width: number; height: number; x: number; y: number; rem: number; seams: Seams; isWide: boolean; screens: { left: number; width: number }[] }

const MOST = 16, MOST_GAP = 400;
/** Boxes of words are told in steps of so many css pixels: a figure that grows by a digit is no news. */
const ROUGH = 8;
const whole = (text: string | null, low: number, high: number, otherwise: number): number => {
  const n = Number(text ?? otherwise);
  return text !== "" && Number.isInteger(n) && n >= low && n <= high ? n : otherwise;
};
export function partOf(search: string): Part {
  const q = new URLSearchParams(search), cols = whole(q.get("cols"), 1, MOST, 1), rows = whole(q.get("rows"), 1, MOST, 1);
  return { cols, rows, col: whole(q.get("col"), 0, cols - 1, 0), row: whole(q.get("row"), 0, rows - 1, 0), gap: whole(q.get("gap"), 0, MOST_GAP, 0), isWhole: !q.has("col") && !q.has("row") };
}

/** The whole canvas, this window's corner in it and the seams, css pixels; rem is 1/76.8 of a wide wall, larger on one screen. */
export function canvasOf(part: Part, width: number, height: number): Canvas {
  const { cols, rows, col, row, gap, isWhole } = part, w = isWhole ? width : width * cols + gap * (cols - 1), h = isWhole ? height : height * rows + gap * (rows - 1);
  const wide = (w - gap * (cols - 1)) / cols, high = (h - gap * (rows - 1)) / rows, rem = Math.min(w / 48, h / 21.6), pad = rem * 0.15;
  const bands = (n: number, size: number): [number, number][] => Array.from({ length: n - 1 }, (_, k) => [(k + 1) * size + k * gap - pad, (k + 1) * (size + gap) + pad]);
  return { width: w, height: h, x: isWhole ? 0 : col * (wide + gap), y: isWhole ? 0 : row * (high + gap), rem, seams: { x: bands(cols, wide), y: bands(rows, high) }, isWide: w / rem > 60, screens: Array.from({ length: cols }, (_, k) => ({ left: k * (wide + gap), width: wide })) };
}

/** What the panels cover of the picture, shares of its sides. */
export function marginsOf(c: Canvas, isAlarmed: boolean): Margins {
  const across = c.width / c.rem, down = c.height / c.rem;
  const [left, right, bottom] = c.isWide ? (isAlarmed ? [15.8, 25.2, 2.2] : [10, 10, 2.2]) : isAlarmed ? [13.4, 12.6, 4.4] : [8.6, 8.6, 2.2];
  return { left: left! / across, right: right! / across, top: 2.1 / down, bottom: bottom! / down };
}

/** Everything with words of its own, so that no name of the park is drawn under it. */
const WORDS = "h1, h2, h3, h4, .tour, .wall-clock, .figure, .note, .lasting, .people, .also, .others, .counts, .wall-cameras figure, .wall-plan li, .sources, .wall-banners p";

/**
 * Moves what may not lie across a seam, after every drawing: elements with `data-whole`; tells where words stand then.
 *
 * "flow": one of a column; it goes down, and what follows with it. "free": placed by itself; it goes to the nearer side.
 */
export function useSeams(host: { current: HTMLElement | null }, c: Canvas, told: (covered: Box[]) => void): void {
  const last = useRef("");
  useLayoutEffect(() => {
    const canvas = host.current;
    if (!canvas) return;
    const origin = canvas.getBoundingClientRect(), boxOf = (e: Element): Box => { const b = e.getBoundingClientRect(); return [b.left - origin.left, b.top - origin.top, b.right - origin.left, b.bottom - origin.top]; };
    if (c.seams.x.length || c.seams.y.length) keepOff(canvas, c, boxOf);
    const covered = [...canvas.querySelectorAll(WORDS)].map((e) => boxOf(e).map((v) => Math.round(v / ROUGH) * ROUGH) as Box).filter((b) => b[2] > b[0]);
    if (last.current !== (last.current = covered.join())) told(covered);
  });
}

function keepOff(canvas: HTMLElement, c: Canvas, boxOf: (e: Element) => Box): void {
  const all = [...canvas.querySelectorAll<HTMLElement>("[data-whole]")];
  for (const e of all) { e.style.translate = ""; e.style.marginTop = ""; }
  for (const e of all) {
    const [left, top, right, bottom] = boxOf(e);
    if (e.dataset.whole === "flow") {
      const band = c.seams.y.find((b) => top < b[1] && bottom > b[0]);
      if (band) e.style.marginTop = `${parseFloat(getComputedStyle(e).marginTop) + band[1] - top}px`;
      continue;
    }
    const x = clearOf(c.seams.x, left, right, c.width), y = clearOf(c.seams.y, top, bottom, c.height);
    if (x || y) e.style.translate = `${x}px ${y}px`;
  }
}
