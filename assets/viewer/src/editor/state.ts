/** The draft as the page holds it: what the server keeps, what a hand is moving right now, and what went wrong. */
import { batch, computed, signal } from "@preact/signals";
import type { TreeNode } from "../contract";
import { ApiError, faultOf } from "../app/api";
import { holdBack, keep, taken } from "../app/newer";
import { world } from "../app/store";
import { editsApi, type Asked, type Edits, type Made, type Progress, type Ring, type Standing, type Xyz } from "./api";

export type Tool = "move" | "zone" | "device";
export interface Pose { at: Xyz; heading: number }
export const edits = signal<Edits | null>(null);
export const tool = signal<Tool>(taken<Tool>("tool") ?? "move");
/** The building, storey or room chosen. */
export const chosen = signal<string>(new URLSearchParams(location.search).get("node") ?? "");
/** A pose that a hand or a key is changing; kept on the server once it rests. */
export const held = signal<{ building: string; pose: Pose } | null>(null);
/** Corners of the zone being drawn. */
export const corners = signal<[number, number][]>([]);
/** Where the device is to be put. */
export const spot = signal<Xyz | null>(null);
export const snapped = signal<{ building: string; residual: number; footprint: string } | null>(null);
/** Where the map is to look. */
export const seek = signal<Xyz | null>(null);
export const fault = signal("");
/** An edit that came too late: somebody else changed the same thing. */
export const late = signal<{ why: string; again: () => Promise<void> } | null>(null);
export const publishing = signal<Progress>({ state: "idle" });
export const busy = signal(false);

keep("tool", () => tool.value);
holdBack(() => corners.value.length > 0 || spot.value !== null || held.value !== null);

export const standing = computed(() => new Map((edits.value?.buildings ?? []).map((b) => [b.id, b])));
export const made = (key: string): Made | undefined => edits.value?.overrides.find((o) => o.key === key);
/** The edit of a kind that means a node, by whatever GUID or id it knows it. */
export const editOf = (what: Made["what"], id: string): Made | undefined => edits.value?.overrides.filter((o) => o.what === what && o.node === id).pop();
/** Outlines of the buildings of the map layers, as the layers have them. */
export const footprints = signal<{ id: string; ring: Ring }[]>([]);
export const poseOf = (b: Standing): Pose => (held.value?.building === b.id ? held.value.pose : { at: b.at, heading: b.heading });
export const node = computed<TreeNode | null>(() => world.value?.byId.get(chosen.value) ?? null);
/** The building that what is chosen belongs to. */
export function ownerOf(of: TreeNode | null): Standing | undefined {
  for (let at = of; at; at = world.value?.byIndex.get(at.parent) ?? null) if (at.kind === "building") return standingOf(at.id);
  return undefined;
}
/** Whether a building comes from a map layer: it stands on the ground, and has an outline and no storeys. */
export const isOfMap = (id: string): boolean => id.includes(":");
/** How a building stands: one with a model, or one of the map, moved or as its layer has it. */
export function standingOf(id: string): Standing | undefined {
  const known = standing.value.get(id), n = world.value?.byId.get(id);
  if (known || !n || !isOfMap(id)) return known;
  const outline = footprints.value.filter((f) => f.id === id).map((f) => f.ring), xs = outline.flat().map((p) => p[0]), ys = outline.flat().map((p) => p[1]);
  if (!xs.length) return undefined;
  const at: Xyz = [(Math.min(...xs) + Math.max(...xs)) / 2, (Math.min(...ys) + Math.max(...ys)) / 2, n.bbox[2] ?? 0];
  return { id, node: n.i, how: "sources", is_placed: true, at, heading: 0, anchor: at, scale: [1, 1], outline, from_source: { at, heading: 0 }, built: { at, heading: 0 } };
}
/** The storey a room is on, whatever groups and rooms are between. */
export function storeyOf(n: TreeNode | null): TreeNode | undefined {
  let at: TreeNode | null | undefined = n;
  while (at && at.kind !== "storey") at = world.value?.byIndex.get(at.parent);
  return at ?? undefined;
}
/** The room a room lies in, with the draft's word in place of the built one. */
export function outerOf(n: TreeNode): TreeNode | undefined {
  const w = world.value!, edit = editOf("nest", n.id);
  if (edit) return w.byId.get(edit.within ?? "");
  if (edits.value?.removed.some((key) => key === `nest:${n.id}`)) return undefined;
  let at = w.byIndex.get(n.parent);
  while (at?.kind === "zone") at = w.byIndex.get(at.parent);
  return at?.kind === "space" ? at : undefined;
}
/** A node's name with the draft's in place of the built one. */
export function draftName(n: TreeNode): { name: string; name_zh: string } {
  const found = editOf("name", n.id);
  return found ? { name: found.name ?? "", name_zh: found.name_zh ?? "" } : { name: n.name, name_zh: n.name_zh };
}

export async function read(): Promise<void> {
  try { edits.value = await editsApi.read(); publishing.value = edits.value.publish; } catch (e) { fault.value = faultOf(e); }
}

/** Does one change; one that came too late is kept aside and can be done again. */
async function change(work: (version: number) => Promise<Edits>): Promise<boolean> {
  const version = edits.value?.version ?? 0;
  busy.value = true;
  try {
    const answer = await work(version);
    batch(() => { edits.value = answer; fault.value = ""; late.value = null; held.value = null; });
    return true;
  } catch (e) {
    if (e instanceof ApiError && e.status === 409) {
      await read();
      late.value = { why: e.message, again: async () => { await change(work); } };
    } else fault.value = faultOf(e);
    return false;
  } finally { busy.value = false; }
}
export const make = (asked: Asked): Promise<boolean> => change((version) => editsApi.make(version, asked));
export const remove = (key: string): Promise<boolean> => change((version) => editsApi.remove(version, key));
export const step = (way: "undo" | "redo"): Promise<boolean> => change((version) => editsApi.step(version, way));

const REST_MS = 500;
let resting = 0;
/** Turns or shifts the chosen building; what several keys come to is one edit. */
export function nudge(building: Standing, by: { x?: number; y?: number; turn?: number }): void {
  const { at, heading } = poseOf(building);
  hold(building.id, { at: [at[0] + (by.x ?? 0), at[1] + (by.y ?? 0), at[2]], heading: (heading + (by.turn ?? 0) + 360) % 360 });
  clearTimeout(resting);
  resting = window.setTimeout(() => void settle(), REST_MS);
}
export function hold(building: string, pose: Pose): void { held.value = { building, pose }; snapped.value = null; }
/** Keeps the held pose. */
export async function settle(): Promise<void> {
  clearTimeout(resting);
  const now = held.value;
  if (now) await make({ what: "place", building: now.building, at: now.pose.at.map((v) => Math.round(v * 1000) / 1000) as Xyz, heading: Math.round(now.pose.heading * 1000) / 1000 });
}
/** Lays a building on the footprint it fits best. */
export async function snap(building: Standing): Promise<"none" | "done"> {
  const { at, heading } = poseOf(building);
  try {
    const found = await editsApi.snap(building.id, at, heading);
    if (!found) return "none";
    hold(building.id, { at: [found.at[0], found.at[1], at[2]], heading: found.heading });
    await settle();
    seek.value = [found.at[0], found.at[1], at[2]];
    snapped.value = { building: building.id, residual: found.residual_m, footprint: found.footprint };
  } catch (e) { fault.value = faultOf(e); }
  return "done";
}

const ASK_MS = 700;
/** Builds the park with the edits; the page loads again once the new build is served. */
export async function publish(): Promise<void> {
  try { publishing.value = await editsApi.publish(); follow(); } catch (e) { fault.value = faultOf(e); await read(); }
}
export function follow(): void {
  window.setTimeout(async () => {
    try { publishing.value = await editsApi.progress(); } catch { /* the server is changing builds */ }
    if (publishing.value.state === "building" || publishing.value.state === "built") follow();
    else await read();
  }, ASK_MS);
}
export const freshId = (prefix: string): string => `${prefix}-${Date.now().toString(36)}`;
