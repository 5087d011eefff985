/** The routes of alarms that only the console needs. */
import { type Alarm, call } from "../api";

export type Held = "shelved" | "out_of_service";
/** A rule a person put aside, whether its alarm is on or not. */
export interface Aside {
  key: string; device: string; node: number; kind: Held; priority: number; title: string; title_zh: string; place: string; place_zh: string;
  who: string; reason: string; since_ms: number; until_ms: number | null; is_over: boolean;
}
export interface AlarmRule { key: string; name: string; name_zh: string; priority: number; rule: string; point: string; limit: number | null; state: string; aside: "" | Held | "suppressed"; by: string; reason: string; until_ms: number | null }

export interface TopRule { key: string; n: number; title: string; title_zh: string; place: string; place_zh: string; priority: number }
/** The figures after EEMUA 191; rates are per ten minutes, shares 0 to 1. */
export interface AlarmFigures {
  count: number; average: number; average_each: number; peak: number; flood_share: number; operators: number; by_priority: number[];
  top: TopRule[]; top_share: number; chattering: TopRule[]; people: { who: string; acknowledged: number; median_secs: number | null; aside: number }[];
  median_ack_secs: number | null; never_acked: number; targets: { average: number; flood: number; by_priority: (number | null)[] };
  now: { standing: number; by_priority: number[]; waiting: number; stale: Alarm[]; stale_count: number; shelved: number; out_of_service: number; designed: number };
}

export const alarmApi = {
  acknowledgeAll: (ids: number[]) => call<{ acknowledged: number }>("POST", "/alarms/acknowledge", { ids }),
  kpis: (hours: number, operators: number) => call<AlarmFigures>("GET", `/alarms/kpis?hours=${hours}&operators=${operators}`),
  reset: (id: number) => call<Alarm>("POST", `/alarms/${id}/reset`, {}),
  aside: () => call<{ aside: Aside[]; designed: number }>("GET", "/alarms/aside"),
  putAside: (key: string, kind: Held, reason: string, mins: number) => call<Aside>("POST", "/alarms/aside", { key, kind, reason, mins }),
  putBack: (key: string, kind: Held, reason: string) => call<Aside>("POST", "/alarms/back", { key, kind, reason }),
  rules: async (device: string) => (await call<{ rules: AlarmRule[] }>("GET", `/alarms/rules?device=${encodeURIComponent(device)}`)).rules,
};
