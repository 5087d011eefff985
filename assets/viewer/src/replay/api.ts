/** What the replay page asks over REST. */
import { type Alarm, call, type Command, type Kpi } from "../app/api";

export interface Moment { kind: "incident" | "drill"; id: string; at_ms: number; until_ms: number | null; title: string; title_zh: string; place: string; place_zh: string; priority: number; node: number; is_sample: boolean }
export type Step = Alarm & { at_ms: number; what: string };
export interface Span { alarms: Step[]; commands: Command[]; people: { n: (number | null)[]; width_ms: number } }
export interface Mark { id: number; at_ms: number; text: string; by: string }
export interface Then { at_ms: number; hash: string; alarms: number; commands: number; cards: Kpi[] }
export type ReportState = { state: "working"; step: string; share: number } | { state: "ready"; bytes: number } | { state: "failed"; detail: string; code: string; fill: Record<string, string | number> };

export const replayApi = {
  moments: () => call<Moment[]>("GET", "/replay/moments"),
  span: (from: number, to: number) => call<Span>("GET", `/replay/span?from_ms=${Math.round(from)}&to_ms=${Math.round(to)}`),
  marks: () => call<Mark[]>("GET", "/replay/marks"),
  mark: (at_ms: number, text: string) => call<Mark>("POST", "/replay/marks", { at_ms, text }),
  then: (at_ms: number, node: string) => call<Then>("GET", `/replay/state?at_ms=${Math.floor(at_ms)}&node=${encodeURIComponent(node)}`),
  still: (at_ms: number, node: string) => `/api/v1/replay/reports/still.jpg?at_ms=${Math.floor(at_ms)}&node=${encodeURIComponent(node)}`,
  report: (incident: number, lang: string) => call<{ key: string }>("POST", "/replay/reports", { incident, lang }),
  reportState: (key: string) => call<ReportState>("GET", `/replay/reports/${key}`),
  reportFile: (key: string) => `/api/v1/replay/reports/${key}/report.pdf`,
  toggle: (id: number) => call<Mark>("DELETE", `/replay/marks/${id}`),
};
