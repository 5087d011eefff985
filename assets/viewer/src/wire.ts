// Generated from twin/wire by `python -m twin.wire_ts`. Do not edit.

export const MAGIC = 0x5054;
export const VERSION = 2;
export const HEADER_BYTES = 24;

export const FrameKind = { VALUES: 1, POSITIONS: 2, OVERLAY: 3 } as const;
export const Channel = { ENERGY: 1, TEMPERATURE: 2, CO2: 3, OCCUPANCY: 4 } as const;
export const Quality = { GOOD: 0, UNCERTAIN: 1, BAD: 2, STALE: 3, NEVER: 4 } as const;

export interface Kpi {
  key: string;
  name: string;
  name_zh: string;
  unit: string;
  value: number | null;
  reference: number | null;
  trend: (number | null)[];
  trend_reference: (number | null)[];
  note: string;
  note_zh: string;
  stale: boolean;
  digits: number;
}

export interface AlarmGroup {
  key: string;
  cause: number;
  title: string;
  title_zh: string;
  place: string;
  place_zh: string;
  node: number;
  priority: number;
  count: number;
  waiting: number;
  first_ms: number;
  last_ms: number;
  alarms: number[];
}

export interface LinkageTarget {
  device: string;
  name: string;
  name_zh: string;
  metres: number | null;
  state: string;
  command: string;
  note: string;
}

export interface LinkageStep {
  key: string;
  name: string;
  name_zh: string;
  state: string;
  limit_secs: number;
  started_ms: number | null;
  ended_ms: number | null;
  targets: LinkageTarget[];
}

export interface LinkageRun {
  linkage: string;
  name: string;
  name_zh: string;
  state: string;
  by: string;
  started_ms: number;
  ended_ms: number | null;
  steps: LinkageStep[];
  needs_two: boolean;
  asked_by: string;
  approve_before_ms: number | null;
}

export interface PlanStep {
  key: string;
  what: string;
  what_zh: string;
  role: string;
  role_zh: string;
  limit_mins: number;
  linked: string;
  done_ms: number | null;
  done_by: string;
  note: string;
}

export interface PlanRun {
  plan: string;
  name: string;
  name_zh: string;
  owner: string;
  owner_zh: string;
  by: string;
  started_ms: number;
  steps: PlanStep[];
}

export interface WallStop {
  name: string;
  node: string;
  name_zh: string;
  seconds: number;
  camera: number[];
  channel: number;
  layers: string[];
}

export interface WallShot {
  node: string;
  camera: number[];
  since_ms: number;
  flight_ms: number;
  is_urgent: boolean;
}

export interface WallUrgent {
  key: string;
  node: string;
  alarm: number;
  incident: number;
  priority: number;
  title: string;
  title_zh: string;
  place: string;
  place_zh: string;
  state: string;
  raised_ms: number;
  by: string;
  over_ms: number;
}

export interface Hello {
  t: "hello";
  park: string;
  build: string;
  user: string;
  role: string;
  demo: boolean;
  tick_ms: number;
  server_time_ms: number;
  slots: number;
}

export interface AlarmView {
  t: "alarm";
  id: number;
  key: string;
  device: string;
  node: number;
  priority: number;
  state: string;
  title: string;
  title_zh: string;
  place: string;
  place_zh: string;
  point: string;
  value: number | null;
  limit: number | null;
  unit: string;
  raised_ms: number;
  changed_ms: number;
  acked_by: string | null;
  owner: string;
  steps: string[];
  steps_zh: string[];
  deadline_mins: number;
  owner_zh: string;
  is_active: boolean;
  aside_by: string;
  aside_until_ms: number | null;
  aside_reason: string;
}

export interface AlarmGroups {
  t: "floods";
  groups: AlarmGroup[];
  alone: number[];
  upto: number;
}

export interface CommandView {
  t: "command";
  id: string;
  device: string;
  node: number;
  key: string;
  title: string;
  title_zh: string;
  args: Record<string, number | string>;
  by: string;
  state: string;
  steps: [string, number, string][];
  expires_ms: number;
  confirm: string | null;
  approve_before_ms: number | null;
  second: string;
}

export interface Kpis {
  t: "kpis";
  node: string;
  cards: Kpi[];
}

export interface TrailEntry {
  t: "trail";
  id: number;
  time_ms: number;
  who: string;
  what: string;
  subject: string;
  node: number;
  text: string;
  text_zh: string;
}

export interface IncidentView {
  t: "incident";
  id: number;
  title: string;
  title_zh: string;
  priority: number;
  state: string;
  opened_ms: number;
  closed_ms: number | null;
  alarms: number[];
  node: number;
  device: string;
  place: string;
  place_zh: string;
  plan: PlanRun | null;
  linkage: LinkageRun | null;
  by: string;
  closed_by: string;
  note: string;
  joined_ms: number;
  plans: string[];
  rule: string;
}

export interface DispatchView {
  t: "dispatch";
  id: string;
  incident: number;
  track: number;
  person: string;
  name: string;
  name_zh: string;
  role: string;
  node: number;
  place: string;
  place_zh: string;
  reason: string;
  by: string;
  state: string;
  metres: number;
  route: [number, number, number][];
  steps: [string, number, string][];
  expires_ms: number;
}

export interface WallView {
  t: "wall";
  mode: string;
  stops: WallStop[];
  at: number;
  started_ms: number;
  held_ms: number;
  node: string;
  urgent: WallUrgent[];
  focus: string;
  resumes_ms: number;
  by: string;
  missing: number[];
  skipped: number[];
  shots: WallShot[];
  version: string;
}

export interface Link {
  t: "link";
  connector: string;
  state: string;
  since_ms: number;
  text: string;
}

export interface ReplayState {
  t: "replay";
  at_ms: number;
  is_playing: boolean;
  speed: number;
  first_ms: number;
  last_ms: number;
  is_reset: boolean;
  hash: string;
  fault: string;
  fault_zh: string;
}

export interface Texts {
  t: "texts";
  codes: number[];
  texts: string[];
}

export interface Clock {
  t: "clock";
  asked: number;
  server_time_ms: number;
}

export interface Servers {
  t: "servers";
  here: string;
  writer: string;
  servers: string[];
}

export interface Look {
  t: "look";
  node: string;
  channels: number[];
}

export interface ClockAsk {
  t: "clock";
  asked: number;
}

export interface ReplayAsk {
  t: "replay";
  at_ms: number | null;
  is_playing: boolean | null;
  speed: number | null;
}
export type ServerMessage = Hello | AlarmView | AlarmGroups | CommandView | Kpis | TrailEntry | IncidentView | DispatchView | WallView | Link | ReplayState | Texts | Clock | Servers;

export interface ValuesFrame { kind: 1; n: number; seq: number; extra: number; timeMs: number; value: Float64Array; slot: Uint32Array; age_ms: Uint32Array; quality: Uint8Array }
export interface PositionsFrame { kind: 2; n: number; seq: number; extra: number; timeMs: number; xyz: Float32Array; track: Uint32Array; heading: Float32Array; node: Uint32Array; flags: Uint8Array }
export interface OverlayFrame { kind: 3; n: number; seq: number; extra: number; timeMs: number; value: Float32Array; node: Uint32Array }
export type Frame = ValuesFrame | PositionsFrame | OverlayFrame;

/** Ascending numbers out of steps of a byte: 255 adds to the step that follows. */
function fromSteps(steps: Uint8Array, n: number): Uint32Array {
  const out = new Uint32Array(n);
  let at = 0, number = 0;
  for (const step of steps) { number += step; if (step !== 255 && at < n) out[at++] = number; }
  return out.subarray(0, at);
}

/** A binary frame taken apart; null for bytes of another kind. Columns view the buffer if they can. */
export function decodeFrame(buffer: ArrayBuffer): Frame | null {
  if (buffer.byteLength < HEADER_BYTES) return null;
  const view = new DataView(buffer);
  if (view.getUint16(0, true) !== MAGIC || view.getUint8(2) !== VERSION) return null;
  const n = view.getUint32(4, true), seq = view.getUint32(8, true), extra = view.getUint32(12, true);
  const timeMs = view.getFloat64(16, true);
  type Columns<T> = { new (buffer: ArrayBuffer, at: number, length: number): T; BYTES_PER_ELEMENT: number };
  const take = <T>(make: Columns<T>, at: number, length: number): T =>
    at % make.BYTES_PER_ELEMENT === 0 ? new make(buffer, at, length)
      : new make(buffer.slice(at, at + length * make.BYTES_PER_ELEMENT), 0, length);
  switch (view.getUint8(3)) {
    case 1: return { kind: 1, n, seq, extra, timeMs, value: take(Float64Array, HEADER_BYTES, n), slot: take(Uint32Array, HEADER_BYTES + n * 8, n), age_ms: take(Uint32Array, HEADER_BYTES + n * 8 + n * 4, n), quality: take(Uint8Array, HEADER_BYTES + n * 8 + n * 4 + n * 4, n) };
    case 2: return { kind: 2, n, seq, extra, timeMs, xyz: take(Float32Array, HEADER_BYTES, n * 3), track: take(Uint32Array, HEADER_BYTES + n * 12, n), heading: take(Float32Array, HEADER_BYTES + n * 12 + n * 4, n), node: take(Uint32Array, HEADER_BYTES + n * 12 + n * 4 + n * 4, n), flags: take(Uint8Array, HEADER_BYTES + n * 12 + n * 4 + n * 4 + n * 4, n) };
    case 3: return { kind: 3, n, seq, extra, timeMs, value: take(Float32Array, HEADER_BYTES, n), node: fromSteps(new Uint8Array(buffer, HEADER_BYTES + n * 4), n) };
    default: return null;
  }
}
