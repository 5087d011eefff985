/** How far to move (from, to) so that it is clear of every band and inside 0..end: the nearer way, 0 when there is no room. */
export function clearOf(bands: [number, number][], from: number, to: number, end: number): number {
  const hit = bands.find((b) => from < b[1] && to > b[0]);
  if (!hit) return 0;
  const back = hit[0] - to, on = hit[1] - from, first = -back <= on ? back : on;
  return [first, first === back ? on : back].find((by) => from + by >= 0 && to + by <= end && !bands.some((b) => from + by < b[1] && to + by > b[0])) ?? 0;
}
