/** A storey (or the grounds) from above: rooms as outlines, and what a panel draws on them. North is up; park metres. */
import type { ComponentChildren, JSX } from "preact";
import type { Space, TreeNode, World } from "../../contract";
import { named } from "../words";

export interface PlanBox { x0: number; y0: number; x1: number; y1: number }

/** What a plan of a storey shows; of the grounds when there is none. */
export function boxOf(w: World, storey: TreeNode | null, around: [number, number][] = []): PlanBox {
  const rooms = storey ? w.rooms.of(storey.i) : [];
  const points: [number, number][] = rooms.length ? rooms.flatMap((s) => s.ring) : around.length > 1 ? around : w.park.buildings.flatMap((b) => [[b.bbox[0]!, b.bbox[1]!], [b.bbox[3]!, b.bbox[4]!]] as [number, number][]);
  const xs = points.map((p) => p[0]), ys = points.map((p) => p[1]), pad = rooms.length ? 1.5 : 25;
  return { x0: Math.min(...xs) - pad, y0: Math.min(...ys) - pad, x1: Math.max(...xs) + pad, y1: Math.max(...ys) + pad };
}
const area = (ring: [number, number][]) => Math.abs(ring.reduce((sum, [x, y], k) => { const [u, v] = ring[(k + 1) % ring.length]!; return sum + x * v - u * y; }, 0)) / 2;
const middle = (s: Space): [number, number] => [s.ring.reduce((t, p) => t + p[0], 0) / s.ring.length, s.ring.reduce((t, p) => t + p[1], 0) / s.ring.length];
export const pathOf = (points: [number, number][], isClosed = false): string => points.map(([x, y], k) => `${k ? "L" : "M"}${x.toFixed(2)} ${(-y).toFixed(2)}`).join("") + (isClosed ? "Z" : "");

export function Plan({ w, storey, box, label, children, onPick, onRoom }: { w: World; storey: TreeNode | null; box: PlanBox; label: string; children?: ComponentChildren; onPick?: (at: [number, number]) => void; onRoom?: (node: TreeNode) => void }): JSX.Element {
  const wide = box.x1 - box.x0, high = box.y1 - box.y0, unit = Math.max(wide, high) / 100, rooms = storey ? w.rooms.of(storey.i) : [];
  const pick = (e: MouseEvent) => {
    const svg = e.currentTarget as SVGSVGElement, m = svg.getScreenCTM();
    if (!m || !onPick) return;
    const p = new DOMPoint(e.clientX, e.clientY).matrixTransform(m.inverse());
    onPick([Math.round(p.x * 100) / 100, Math.round(-p.y * 100) / 100]);
  };
  return (
    <svg class={`plan${onPick ? " draws" : ""}`} viewBox={`${box.x0} ${-box.y1} ${wide} ${high}`} role="img" aria-label={label} style={{ aspectRatio: `${wide} / ${high}` }} onClick={onPick ? pick : undefined}>
      {storey ? rooms.map((s) => <path key={s.i} class="room" d={pathOf(s.ring, true)} onClick={onRoom ? () => { const n = w.byIndex.get(s.i); if (n) onRoom(n); } : undefined} />)
        : w.park.buildings.map((b) => <rect key={b.id} class="room" x={b.bbox[0]} y={-b.bbox[4]!} width={b.bbox[3]! - b.bbox[0]!} height={b.bbox[4]! - b.bbox[1]!} onClick={onRoom ? () => { const n = w.byIndex.get(b.node); if (n) onRoom(n); } : undefined} />)}
      {storey && rooms.filter((s) => area(s.ring) > wide * high * 0.018).map((s) => { const [x, y] = middle(s), n = w.byIndex.get(s.i); return <text key={s.i} x={x} y={-y} style={{ fontSize: unit * 2.6 }}>{n ? named(n).split(" ")[0]!.slice(0, 6) : ""}</text>; })}
      {children}
    </svg>
  );
}
