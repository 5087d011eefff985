/** Where this window stands in the wall, and where the screens meet: no word lies across a seam. */
import { useLayoutEffect } from "preact/hooks";
import type { Margins, Seams } from "../contract";
import { clearOf } from "../seams";

/** `?cols=4&rows=2&col=1&row=0&gap=12`: this window of so many, `gap` css pixels hidden behind two bezels. Without `col` and `row`: the whole wall in one window. */
export interface Part { cols: number; rows: number; col: number; row: number; gap: number; isWhole: boolean }
export interface Canvas { width: number; height: number; x: number; y: number; rem: number; seams: Seams; isWide: boolean; screens: { left: number; width: number }[] }

const MOST = 16, MOST_GAP = 400;
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
  const [left, right, bottom] = c.isWide ? (isAlarmed ? [15.8, 25.2, 2.2] : [10, 10, 2.2]) : isAlarmed ? [13.4, 12.6, 6.9] : [8.6, 8.6, 2.2];
  return { left: left! / across, right: right! / across, top: 2.1 / down, bottom: bottom! / down };
}

/**
 * Moves what may not lie across a seam, after every drawing: elements with `data-whole`.
 *
 * "flow": one of a column; it goes down, and what follows with it. "free": placed by itself; it goes to the nearer side.
 */
export function useSeams(host: { current: HTMLElement | null }, c: Canvas): void {
  useLayoutEffect(() => {
    const canvas = host.current;
    if (!canvas || !(c.seams.x.length || c.seams.y.length)) return;
    const all = [...canvas.querySelectorAll<HTMLElement>("[data-whole]")], origin = canvas.getBoundingClientRect();
    for (const e of all) { e.style.translate = ""; e.style.marginTop = ""; }
    for (const e of all) {
      const box = e.getBoundingClientRect(), left = box.left - origin.left, top = box.top - origin.top, isFlow = e.dataset.whole === "flow";
      const x = isFlow ? 0 : clearOf(c.seams.x, left, left + box.width, c.width);
      const band = c.seams.y.find((b) => top < b[1] && top + box.height > b[0]);
      if (isFlow && band) e.style.marginTop = `${parseFloat(getComputedStyle(e).marginTop) + band[1] - top}px`;
      const y = isFlow ? 0 : clearOf(c.seams.y, top, top + box.height, c.height);
      if (x || y) e.style.translate = `${x}px ${y}px`;
    }
  });
}
