/** Figures, ages and times as people read them. */
import { inPark, two } from "./parktime";
import { lang, say } from "./words";

export function figure(value: number | null | undefined, digits = 1): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "—";
  return value.toLocaleString(lang.value === "zh" ? "zh-CN" : "en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits, signDisplay: "negative" });
}
export function digitsFor(value: number, unit: string): number {
  if (["ppm", "lx", "", "W"].includes(unit) || Math.abs(value) >= 1000) return 0;
  return Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
}
export function span(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000)), h = Math.floor(s / 3600);
  return h ? `${two(h)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}` : `${two(Math.floor(s / 60))}:${two(s % 60)}`;
}
export function age(ms: number): string {
  if (ms < 60_000) return say("age.secs", { n: (ms / 1000).toFixed(ms < 10_000 ? 1 : 0) });
  return ms < 3_600_000 ? say("age.mins", { n: Math.floor(ms / 60_000) }) : say("age.hours", { n: (ms / 3_600_000).toFixed(1) });
}
export { clockOf as clock } from "./parktime";
export const day = (ms: number): string =>
  inPark(ms).toLocaleDateString(lang.value === "zh" ? "zh-CN" : "en-GB", { timeZone: "UTC", year: "numeric", month: "2-digit", day: "2-digit", weekday: "short" });
export function change(value: number | null, reference: number | null): string {
  if (value === null || reference === null || !reference) return "";
  const share = ((value - reference) / Math.abs(reference)) * 100;
  return `${share >= 0 ? "↑" : "↓"} ${Math.abs(share).toFixed(1)} %`;
}
