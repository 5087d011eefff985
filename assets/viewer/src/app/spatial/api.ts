/** The routes of the spatial panels. */
import { call } from "../api";
import { fenceMiddles } from "./state";

export interface HourPaint {
  channel: number; name: string; name_zh: string; unit: string; breaks: number[]; from_ms: number; to_ms: number;
  nodes: number[]; values: (number | null)[]; estimated: number[]; energy_kwh: (number | null)[] | null;
}

export interface TrajectoryAnswer {
  t: number[]; xyz: [number, number, number][]; node: number[]; storey: number[]; leg: number[]; metres: number | null; spread_m: number; raw: boolean;
  stays: { at: [number, number, number]; from_ms: number; to_ms: number; node: number; storey: number }[];
  visits: { node: number; from_ms: number; to_ms: number }[]; blurred: boolean; reason: string;
}

export interface Spot { at: [number, number, number]; node: number; storey: number }
export interface ContactRow extends Spot { track: { i: number; id: string; kind: string; name: string; name_zh: string; role: string }; from_ms: number; to_ms: number; secs: number; closest_m: number }
export interface ReachedRow { node: number; storey: number; name: string; name_zh: string; metres: number; secs: number }
export interface SearchAnswer {
  at_ms: number; seen_ms: number; silent_secs: number; speed: number; metres: number; last: Spot;
  levels: { storey: number; z: number; area_m2: number; parts: [number, number][][][] }[]; rooms: ReachedRow[]; doors: ReachedRow[]; exits: ReachedRow[];
  cameras: { node: number; id: string; name: string; name_zh: string; storey: number }[]; counts: { rooms: number; doors: number; exits: number; cameras: number };
}

export interface CoverageRow {
  node: number; scope: "storey" | "zone" | "outdoors"; floor_m2: number; seen_m2: number; reached_m2: number; cameras: number; sensors: number;
  assumed: number; blind: number; devices: number; online: number; rules: number; answered: number;
}
interface Ranged { kind: string; name: string; name_zh: string }
export type CoverageAnswer = { state: "running" | "failed"; done: number; total: number; fault: string }
  | { state: "done"; done?: number; total?: number; time_ms: number; now_ms: number; rows: CoverageRow[]; optics: (Ranged & { range_m: number; fov_deg: number })[]; sense: (Ranged & { radius_m: number; code: string })[] };
export interface BlindAnswer { node: number; z: number; pieces: [number, number][][][] }
export interface FenceResponse { owner: string; owner_zh: string; steps: string[]; steps_zh: string[]; deadline_mins: number }
export interface FenceBody {
  id: string; name: string; name_zh: string; rule: string; priority: number; node?: string; ring?: [number, number][]; line?: [number, number][]; z?: [number, number] | null;
  kinds: string[]; roles: string[]; except_roles?: string[]; mins?: number; hours?: [string, string] | null; response: FenceResponse;
}
export interface FenceView extends FenceBody { outline: [number, number][][]; band: [number, number] | null; middle: [number, number]; drawn: boolean; inside: number }
export interface FencesAnswer { fences: FenceView[]; roles: string[]; rules: Record<string, { name: string; name_zh: string }>; findings: { what: string; where: string; mend: string }[] }

type Unknown = number | null;
export interface EnergyOverview {
  media: { key: string; name: string; name_zh: string; unit: string }[]; tenants: { id: string; name: string; name_zh: string; places: string[] }[];
  days: number; days_needed: number; findings: { what: string; where: string; mend: string }[];
}
export interface SupplyRow { i: number; parent: number; node: number; place: string; meters: string[]; used: Unknown; made: Unknown; below: Unknown; lost: Unknown; share: Unknown; state: "leaf" | "sound" | "uncertain" | "over"; silent: string[] }
export interface UseAnswer { t: number[]; use: Unknown[]; made: Unknown[]; whole: boolean[]; how: "measured" | "parts" | "share" | "none"; area: Unknown }
export interface RankRow { place: string; node: number; name: string; name_zh: string; used: Unknown; area: Unknown; intensity: Unknown; how: UseAnswer["how"]; whole: boolean }
export interface ExpectedAnswer { start_ms?: number; usual?: Unknown[]; expected: number[] | null; low?: number[]; high?: number[]; error?: Unknown; naive_error?: Unknown }
const span = (medium: string, fromMs: number, toMs: number) => `medium=${medium}&from_ms=${Math.round(fromMs)}&to_ms=${Math.round(toMs)}`;

export const spatialApi = {
  energy: () => call<EnergyOverview>("GET", "/energy"),
  use: (place: string, medium: string, fromMs: number, toMs: number) => call<UseAnswer>("GET", `/energy/use?place=${encodeURIComponent(place)}&${span(medium, fromMs, toMs)}`),
  meterTree: (medium: string, fromMs: number, toMs: number) => call<{ supplies: SupplyRow[] }>("GET", `/energy/tree?${span(medium, fromMs, toMs)}`),
  energyRanking: (medium: string, scope: string, fromMs: number, toMs: number) => call<{ rows: RankRow[] }>("GET", `/energy/ranking?scope=${scope}&${span(medium, fromMs, toMs)}`),
  expected: (place: string, medium: string, timeMs: number) => call<ExpectedAnswer>("GET", `/energy/expected?place=${encodeURIComponent(place)}&medium=${medium}&time_ms=${Math.round(timeMs)}`),
  coverage: () => call<CoverageAnswer>("GET", "/coverage"),
  blind: (node: number) => call<BlindAnswer>("GET", `/coverage/${node}/blind`),
  fences: () => call<FencesAnswer>("GET", "/fences"),
  addFence: (body: FenceBody) => call<{ id: string }>("POST", "/fences", body),
  removeFence: (id: string) => call<{ id: string }>("DELETE", `/fences/${encodeURIComponent(id)}`),
  trajectory: (id: string, fromMs: number, toMs: number, raw: boolean) => call<TrajectoryAnswer>("GET", `/tracks/${encodeURIComponent(id)}/trajectory?from_ms=${Math.round(fromMs)}&to_ms=${Math.round(toMs)}&raw=${raw}`),
  contacts: (track: string, fromMs: number, toMs: number, metres: number, secs: number) => call<{ contacts: ContactRow[] }>("GET", `/tracks/${encodeURIComponent(track)}/contacts?from_ms=${Math.round(fromMs)}&to_ms=${Math.round(toMs)}&metres=${metres}&secs=${secs}`),
  search: (track: string, atMs: number, speed: number) => call<SearchAnswer>("GET", `/tracks/${encodeURIComponent(track)}/search?at_ms=${Math.round(atMs)}&speed=${speed}`),
  hour: (channel: number, timeMs: number, midnightMs: number, estimates: boolean, signal?: AbortSignal) =>
    call<HourPaint>("GET", `/overlays/${channel}/at?time_ms=${timeMs}&midnight_ms=${midnightMs}&estimates=${estimates}`, undefined, signal),
};

/** Where a fence's alarm stands: the middle of its place, half way up its band. */
export const middleOf = (f: FenceView): [number, number, number] => [f.middle[0], f.middle[1], f.band ? (f.band[0] + f.band[1]) / 2 : 1];
/** Asks where the fences stand; an alarm of one is then drawn there. */
export async function findFences(): Promise<FencesAnswer> {
  const found = await spatialApi.fences();
  fenceMiddles.value = new Map(found.fences.map((f) => [f.id, middleOf(f)]));
  return found;
}
