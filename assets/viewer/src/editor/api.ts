/** The edits' REST routes and what they answer; every change names the version it was made on. */
import { call } from "../app/api";

export type Xyz = [number, number, number];
export type Ring = [number, number][];
export interface Standing { id: string; node: number; how: "sources" | "hand" | "none"; is_placed: boolean; at: Xyz; heading: number; anchor: Xyz; scale: [number, number]; outline: Ring[]; from_source: { at: Xyz; heading: number } | null; built: { at: Xyz; heading: number } }
export interface Brief { n: number; time_ms: number; by: string; do: "edit" | "undo" | "redo" | "publish" | "take back"; key: string; of: number; is_removal: boolean; name: string; name_zh: string }
export interface Target { kind: string; building: string; guid?: string }
export interface Made { key: string; is_draft: boolean; what: "place" | "name" | "nest" | "group" | "zone" | "device"; by?: string; id?: string; name?: string; name_zh?: string; kind?: string; at?: Xyz; heading?: number; ring?: Ring; target?: Target; members?: Target[]; node?: string; within?: string; nodes?: string[] }
export interface Told { what: string; mend: string; level: string; code: string; fill: Record<string, string> | "" }
export interface Progress { state: "idle" | "building" | "built" | "failed"; stage?: string; done?: number; total?: number; error?: string; mend?: string }
export interface Edits { version: number; is_dirty: boolean; undo: Brief | null; redo: Brief | null; overrides: Made[]; removed: string[]; journal: Brief[]; buildings: Standing[]; zones: { id: string; ring: Ring }[]; findings: Told[]; publish: Progress; kinds: { id: string; name: string; name_zh: string }[] }
export interface Snap { footprint: string; at: [number, number]; heading: number; residual_m: number }
export type Asked =
  | { what: "place"; building: string; at: Xyz; heading: number }
  | { what: "name"; node: string; name: string; name_zh: string }
  | { what: "nest"; node: string; into: string }
  | { what: "group"; id: string; name: string; name_zh: string; nodes: string[] }
  | { what: "zone"; id: string; name: string; name_zh: string; ring: Ring }
  | { what: "device"; id: string; kind: string; name: string; name_zh: string; at: Xyz; heading: number | null };

export const editsApi = {
  read: () => call<Edits>("GET", "/edits"),
  make: (version: number, edit: Asked) => call<Edits>("POST", "/edits", { version, edit }),
  remove: (version: number, key: string) => call<Edits>("DELETE", `/edits?key=${encodeURIComponent(key)}&version=${version}`),
  step: (version: number, way: "undo" | "redo") => call<Edits>("POST", `/edits/${way}`, { version }),
  footprints: async () => (await call<{ footprints: { id: string; ring: Ring }[] }>("GET", "/edits/footprints")).footprints,
  snap: async (building: string, at: Xyz, heading: number) => (await call<{ snap: Snap | null }>("GET", `/edits/snap?building=${encodeURIComponent(building)}&x=${at[0]}&y=${at[1]}&heading=${heading}`)).snap,
  publish: () => call<Progress>("POST", "/edits/publish", {}),
  progress: () => call<Progress>("GET", "/edits/publish"),
};
