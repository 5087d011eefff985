/** Schemes as the server works them out (`/api/v1/schemes`). Lengths in metres of the park frame, shares 0..1, sunlight in hours. */
import { ApiError, call } from "../app/api";

export interface Fault { file: string; line: number; what: string; mend: string; what_zh: string; mend_zh: string; severity: string }
export interface SchemeRow { id: string; name: string; name_zh: string; faults: Fault[] }
export interface SchemeList { schemes: SchemeRow[]; rules: string; rules_zh: string; site: string; site_zh: string; day: string; faults: Fault[] }
export interface Breach {
  subject: string; name: string; name_zh: string; kind: "site" | "prism" | "segment" | "cells"; at: [number, number, number]; value: number; over: number;
  z0: number; z1: number; rings: [number, number][][]; segment: [number, number, number][]; cells: number[]; storeys: string;
}
export interface Row { key: string; unit: string; value: number | null; limit: number | null; is_upper: boolean; passes: boolean | null; breaches: Breach[]; total: number; failed: number }
export interface Part { rings: [number, number][][]; z0: number; z1: number }
export interface NewBuilding { id: string; name: string; name_zh: string; ground: number; top: number; storeys: number; area: number; dwelling: boolean; modelled: boolean; levels: number[]; parts: Part[] }
/** A building that would stand in others and so stays out; `clash` is the ground both want. */
export interface LeftOut {
  id: string; name: string; name_zh: string; z0: number; z1: number; rings: [number, number][][]; clash: [number, number][][]; at: [number, number, number]; line: number;
  hits: string[]; hit_names: string[]; hit_names_zh: string[];
}
export interface Sunlight {
  /** yyyy-mm-dd; `rule_day`: the planning condition is judged on it, and only on it */
  date: string; rule_day: boolean; hours: [number, number]; sill: number; noon_utc: number; limit: number | null; latitude: number; longitude: number; convergence: number;
  /** true solar hour and the unit vector to the sun in the park frame, every quarter of an hour */
  path: [number, number, number, number][];
  stacks: string[]; stack: number[]; a: number[]; b: number[]; z0: number[]; z1: number[]; front: number[]; hours_after: number[]; hours_before: (number | null)[];
}
export interface Result {
  stamp: string; id: string; name: string; name_zh: string; site: [number, number][]; site_name: string; site_name_zh: string; rules: string; rules_zh: string; setback: number | null;
  ground: number; removed: string[]; buildings: NewBuilding[]; greens: [number, number][][]; left_out: LeftOut[]; faults: Fault[]; indicators: Row[]; sunlight: Sunlight;
}
export type Answer = { state: "ready"; result: Result } | { state: "working"; step: string; share: number } | { state: "failed"; detail: string; code?: string; fill?: Record<string, string | number> };

export const listSchemes = (): Promise<SchemeList> => call<SchemeList>("GET", "/schemes");
/** `day` as 01-20; "" is the day the rules name. */
export const askScheme = (id: string, day: string): Promise<Answer> => call<Answer>("GET", `/schemes/${encodeURIComponent(id)}${day ? `?day=${day}` : ""}`);

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
/** Asks until the scheme is worked out or nobody `isWanting` it any more; `told` hears how far it is. */
export async function workedOut(id: string, day: string, isWanting: () => boolean, told: (step: string, share: number) => void): Promise<Result> {
  for (let wait = 250; ; wait = Math.min(1500, wait * 1.3)) {
    const answer = await askScheme(id, day);
    if (answer.state === "ready") return answer.result;
    if (answer.state === "failed") throw new ApiError(422, answer, answer.detail);
    if (isWanting()) told(answer.step, answer.share);
    await pause(wait);
    if (!isWanting()) throw new ApiError(0, "no longer wanted");
  }
}
/** Where the scheme's own model lies; the address changes with its content. */
export const modelAddress = (result: Result): string => `/api/v1/schemes/${encodeURIComponent(result.id)}/scheme.glb?stamp=${result.stamp}`;
/** Every breach of a result in the order of the table. */
export const breachesOf = (result: Result): { row: Row; breach: Breach }[] => result.indicators.flatMap((row) => row.breaches.map((breach) => ({ row, breach })));
