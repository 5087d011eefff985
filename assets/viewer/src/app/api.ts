/** The server's REST routes, each as one function; every failure is an ApiError in the reader's language. */
import { door } from "./come_back";
import { isReplay } from "./replaying";
import { has, say } from "./words";
import { NodeTable, RoomTable, type NodeColumns, type RoomColumns } from "../places";
import type { Device, DeviceKind, Park, Track } from "../contract";

export interface Refused { detail?: unknown; code?: string; fill?: Record<string, string | number> }
/** A refusal: in the page's words where its code has any, else the server's English sentence. */
export class ApiError extends Error {
  constructor(readonly status: number, refused: Refused | string, fallback = "") { super(typeof refused === "string" ? refused : inWords(refused, fallback)); }
}
export function inWords({ detail, code, fill = {} }: Refused, fallback: string): string {
  const key = `refusal.${code}`;
  if (!code || !has(key)) return typeof detail === "string" ? detail : fallback;
  return say(key, Object.fromEntries(Object.entries(fill).map(([name, value]) => [name, has(`term.${value}`) ? say(`term.${value}`) : value])));
}
/** What a page tells of any failure. */
export const faultOf = (error: unknown): string => (error instanceof ApiError ? error.message : error instanceof TypeError ? say("refusal.line") : error instanceof Error ? error.message : String(error));

export interface Me { user: string; name: string; role: Role; demo: boolean; csrf: string; lang: "zh" | "en" | null; theme: "light" | "dark" | null }
export type Role = "viewer" | "operator" | "commander" | "admin";
export interface Alarm {
  id: number; key: string; device: string; node: number; priority: number; state: string; title: string; title_zh: string; place: string; place_zh: string;
  point: string; value: number | null; limit: number | null; unit: string; raised_ms: number; changed_ms: number; acked_by: string | null;
  is_active: boolean; aside_by: string; aside_until_ms: number | null; aside_reason: string;
  owner: string; owner_zh: string; steps: string[]; steps_zh: string[]; deadline_mins: number;
}
export interface Command {
  id: string; device: string; node: number; key: string; title: string; title_zh: string; args: Record<string, number | string>; by: string; state: string;
  steps: [string, number, string][]; expires_ms: number; confirm: string | null; approve_before_ms: number | null; second: string;
}
export interface Kpi {
  key: string; name: string; name_zh: string; unit: string; value: number | null; reference: number | null; trend: (number | null)[];
  trend_reference: (number | null)[]; note: string; note_zh: string; stale: boolean; digits: number;
}
export interface Trail { id: number; time_ms: number; who: string; what: string; subject: string; node: number; text: string; text_zh: string }
export interface Hit { i: number; id: string; kind: string; name: string; name_zh: string; path: string; path_zh: string }
export interface Drill { key: string; name: string; name_zh: string; running: boolean }
export interface OverlayInfo { channel: number; name: string; name_zh: string; unit: string; breaks: number[]; time_ms: number }
export interface History { t: number[]; mean: (number | null)[]; low: (number | null)[]; high: (number | null)[] }

let csrf = "";

/** What the page's head already asked for, each taken once. */
const early = (globalThis as { parktwinEarly?: Record<string, Promise<Response>> }).parktwinEarly ?? {};
function taken(path: string): Promise<Response> | undefined {
  const held = early[path];
  delete early[path];
  return held;
}

export async function call<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (method !== "GET") { headers["X-CSRF-Token"] = csrf; headers["Content-Type"] = "application/json"; }
  if (isReplay) headers["X-Parktwin-Replay"] = "1"; // nothing is done to the field from the past: not sent from here, and the server refuses it
  if (isReplay && method !== "GET" && !path.startsWith("/replay/")) throw new ApiError(409, say("refusal.replay.past"));
  const answer = await ((method === "GET" && taken(path)) || fetch(`/api/v1${path}`, { method, headers, credentials: "same-origin", body: body === undefined ? undefined : JSON.stringify(body), signal }));
  if (answer.status === 401) { location.assign(door()); }
  const text = await answer.text();
  if (!answer.ok) throw new ApiError(answer.status, refusedOf(text), `${answer.status} ${answer.statusText}`);
  return (text ? JSON.parse(text) : null) as T;
}
/** The guard refuses in plain text, the routes in JSON. */
function refusedOf(text: string): Refused {
  try { return (JSON.parse(text) as Refused | null) ?? {}; } catch { return { detail: text.length < 300 ? text : undefined }; }
}
/** Ends the session and goes to the door. */
export async function signOut(): Promise<void> {
  await fetch("/signout", { method: "POST", headers: { "X-CSRF-Token": csrf }, credentials: "same-origin", redirect: "manual" });
  location.assign("/signin");
}
const get = <T>(path: string, signal?: AbortSignal) => call<T>("GET", path, undefined, signal);
const list = <T>(answer: T[] | Record<string, T[]>): T[] => (Array.isArray(answer) ? answer : Object.values(answer)[0] ?? []);
const enc = encodeURIComponent;

export const api = {
  async me(): Promise<Me> { const me = await get<Me>("/me"); csrf = me.csrf; return me; },
  park: () => get<Park>("/park"),
  places: async () => new NodeTable(await get<NodeColumns>("/tree?form=columns")),
  devices: () => get<{ kinds: DeviceKind[]; devices: Device[] }>("/devices"),
  rooms: async () => new RoomTable(await get<RoomColumns>("/spaces?form=columns")),
  tracks: async () => (await get<{ tracks: Track[] }>("/tracks")).tracks,
  search: async (q: string, signal?: AbortSignal) => (await get<{ hits: Hit[] }>(`/search?q=${enc(q)}`, signal)).hits,
  history: (point: string, fromMs: number, toMs: number, buckets: number) =>
    get<History>(`/history?point=${enc(point)}&from_ms=${Math.round(fromMs)}&to_ms=${Math.round(toMs)}&buckets=${buckets}`),
  alarms: async (state: "active" | "all" = "active") => list<Alarm>(await get(`/alarms?state=${state}`)),
  alarmLoad: async () => list<{ t: number; n: number }>(await get("/alarms/load")),
  acknowledge: (id: number) => call<Alarm>("POST", `/alarms/${id}/acknowledge`, {}),
  shelve: (id: number, mins: number, reason: string) => call<Alarm>("POST", `/alarms/${id}/shelve`, { mins, reason }),
  commands: async () => list<Command>(await get("/commands")),
  order: (device: string, key: string, args: Record<string, number | string>, idempotencyKey: string) =>
    call<Command>("POST", "/commands", { device, key, args, idempotency_key: idempotencyKey }),
  approve: (id: string) => call<Command>("POST", `/commands/${enc(id)}/approve`, {}),
  refuse: (id: string, note = "") => call<Command>("POST", `/commands/${enc(id)}/refuse`, { note }),
  kpis: async (node: string) => (await get<{ node: string; cards: Kpi[] }>(`/kpis?node=${enc(node)}`)).cards,
  trail: async () => list<Trail>(await get("/trail")),
  drills: async () => list<Drill>(await get("/drills")),
  startDrill: (key: string) => call<unknown>("POST", `/drills/${enc(key)}/start`, {}),
  stopDrill: (key: string) => call<unknown>("POST", `/drills/${enc(key)}/stop`, {}),
  overlays: async () => (await get<{ overlays: OverlayInfo[] }>("/overlays")).overlays,
  overlay: (channel: number) => get<OverlayInfo>(`/overlays/${channel}`),
};
