/** True solar hours of the day looked at: where the sun is, and what the park's clock says then. */
import type { Sunlight } from "./api";

export const GREAT_COLD = "01-20";
/** 10.5 → 10:30 */
export const hourText = (h: number): string => { const m = Math.round(h * 60); return `${Math.floor(m / 60)}:${String(m % 60).padStart(2, "0")}`; };
/** The shortest day of the year where the park lies. */
export const solsticeOf = (latitude: number): string => (latitude < 0 ? "06-21" : "12-22");
/** Month and day of the study, 01-20. */
export const dayOfStudy = (sun: Sunlight): string => sun.date.slice(5);

/** Unit vector to the sun at a true solar hour, between the quarters the server gave. */
export function sunAt(sun: Sunlight, hour: number): [number, number, number] {
  const path = sun.path, k = Math.max(0, Math.min(path.length - 2, Math.floor((hour - path[0]![0]) / (path[1]![0] - path[0]![0])))), a = path[k]!, b = path[k + 1]!, s = (hour - a[0]) / (b[0] - a[0]);
  const v = [1, 2, 3].map((i) => a[i]! + (b[i]! - a[i]!) * s) as [number, number, number], l = Math.hypot(...v);
  return [v[0] / l, v[1] / l, v[2] / l];
}
/** The instant (ms) of a true solar hour of the day. */
export const instantOfSolar = (sun: Sunlight, hour: number): number => Date.parse(`${sun.date}T00:00Z`) + (hour - 12 + sun.noon_utc) * 3_600_000;
