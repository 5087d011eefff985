/** Where this window stands in the wall: ?cols=4&rows=2&col=1&row=0; alone without them. */
export interface Part { cols: number; rows: number; col: number; row: number }

const whole = (text: string | null, low: number, high: number, otherwise: number): number => {
  const n = Number(text ?? otherwise);
  return Number.isInteger(n) && n >= low && n <= high ? n : otherwise;
};
export function partOf(search: string): Part {
  const q = new URLSearchParams(search), cols = whole(q.get("cols"), 1, 16, 1), rows = whole(q.get("rows"), 1, 16, 1);
  return { cols, rows, col: whole(q.get("col"), 0, cols - 1, 0), row: whole(q.get("row"), 0, rows - 1, 0) };
}
/** The whole canvas and this window's corner in it, css pixels; rem is 1/76.8 of a wide wall, larger on one screen. */
export function canvasOf(part: Part, width: number, height: number): { width: number; height: number; x: number; y: number; rem: number } {
  const w = width * part.cols, h = height * part.rows;
  return { width: w, height: h, x: width * part.col, y: height * part.row, rem: Math.min(w / 48, h / 21.6) };
}
