/** Incidents and the people sent: kept by the socket, fetched once for those closed. */
import { signal } from "@preact/signals";
import type { DispatchView, IncidentView } from "../../wire";
import { call } from "../api";

export const incidents = signal<Map<number, IncidentView>>(new Map());
export const dispatches = signal<Map<string, DispatchView>>(new Map());
export const LIVE = new Set(["requested", "sent", "accepted", "arrived"]);

/** Takes a message of the socket; false for those of others. */
export function heardIncident(message: { t: string }): boolean {
  if (message.t === "incident") takeIncident(message as unknown as IncidentView);
  else if (message.t === "dispatch") { const d = message as unknown as DispatchView; dispatches.value = new Map(dispatches.value).set(d.id, d); }
  else return false;
  return true;
}
export function takeIncident(i: IncidentView): void { incidents.value = new Map(incidents.value).set(i.id, i); }

/** The open incident an alarm belongs to. */
export const incidentOf = (alarm: number): IncidentView | null => [...incidents.value.values()].find((i) => i.state === "open" && i.alarms.includes(alarm)) ?? null;

export interface Candidate { person: string; track: number; name: string; name_zh: string; metres: number; busy: boolean }
export interface PlanInfo { id: string; name: string; name_zh: string; owner: string; owner_zh: string }
/** A declaration of the park that could not be used: which file, why, and what to change. */
export interface LeftOut { what: string; where: string; mend: string; code: string; fill: Record<string, string> }
const enc = encodeURIComponent;
const change = async (path: string, body: unknown): Promise<IncidentView> => { const i = await call<IncidentView>("POST", path, body); takeIncident(i); return i; };

export const incidentApi = {
  declare: (alarm: number) => change("/incidents", { alarm }),
  plan: (id: number, plan: string) => change(`/incidents/${id}/plan`, { plan }),
  tick: (id: number, key: string, done: boolean, note = "") => change(`/incidents/${id}/steps/${enc(key)}`, { done, note }),
  linkage: (id: number) => change(`/incidents/${id}/linkage`, {}),
  close: (id: number, note: string) => change(`/incidents/${id}/close`, { note }),
  plans: async () => await call<{ plans: PlanInfo[]; findings: LeftOut[] }>("GET", "/plans"),
  candidates: async (node: string, role: string) => await call<{ roles: string[]; candidates: Candidate[] }>("GET", `/dispatches/candidates?node=${enc(node)}&role=${enc(role)}`),
  near: async (node: string, kind: string) => (await call<{ devices: { device: string; metres: number | null }[] }>("GET", `/near?node=${enc(node)}&kind=${enc(kind)}&count=4`)).devices,
  send: (node: string, reason: string, person: string, incident: number) => call<DispatchView>("POST", "/dispatches", { node, reason, person, incident }),
  release: (id: string) => call<DispatchView>("POST", `/dispatches/${enc(id)}/release`, {}),
};
