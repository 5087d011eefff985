/** Alarm rows: mark, what and where, who or what state, how long. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type Alarm, api } from "../api";
import { clock, figure, span } from "../format";
import { useKept } from "../newer";
import { activeAlarms, callingAlarms, device, goTo, isAside, me, seconds, serverNow } from "../store";
import { pick, say } from "../words";
import { Chart, token } from "./chart";
import { Icon, PriorityMark } from "./icons";

export const mayAct = (): boolean => me.value !== null && me.value.role !== "viewer";

function stateText(a: Alarm): JSX.Element {
  if (a.state === "acknowledged") return <span class="who-acked"><Icon name="check" size={12} /> {a.acked_by}</span>;
  return <span>{say(`alarm.${a.state}`)}</span>;
}

export function AlarmRow({ alarm, isChosen, onChoose, children }: { alarm: Alarm; isChosen: boolean; onChoose: () => void; children?: JSX.Element | null }): JSX.Element {
  void seconds.value;
  const isNew = alarm.state === "unacknowledged";
  return (
    <li class={`alarm p${alarm.priority}${isNew ? " new" : ""}${isChosen ? " chosen" : ""} ${alarm.state}`}>
      <button class="line" onClick={onChoose} aria-current={isChosen}>
        <PriorityMark priority={alarm.priority} isHollow={alarm.state === "returned" || alarm.state.startsWith("latched") || isAside(alarm)} />
        <span class="what"><b>{pick(alarm, "title")}</b><small>{pick(alarm, "place") || `${say("outdoors")} · ${alarm.device}`}{alarm.value !== null && alarm.limit !== null ? ` · ${figure(alarm.value, 1)} ${alarm.unit}（${say("limit")} ${figure(alarm.limit, 1)}）` : ""}</small></span>
        <span class="state"><b>{span(serverNow() - alarm.raised_ms)}</b><small>{stateText(alarm)}</small></span>
      </button>
      {children}
    </li>
  );
}

export function PriorityChips({ alarms, only, onOnly }: { alarms: Alarm[]; only: number | null; onOnly: (p: number | null) => void }): JSX.Element {
  return (
    <div class="chips" role="group" aria-label={say("filter")}>
      {[1, 2, 3, 4].map((p) => {
        const n = alarms.filter((a) => a.priority === p && !isAside(a)).length;
        return <button key={p} aria-pressed={only === p} onClick={() => onOnly(only === p ? null : p)}><PriorityMark priority={p} size={16} isHollow={n === 0} />{n}</button>;
      })}
      <span class="chip-quiet" title={say("aside")}><Icon name="clock" size={14} />{alarms.filter(isAside).length}</span>
    </div>
  );
}

/** The panel on the operations page: a click flies there. */
export function AlarmPanel(): JSX.Element {
  const [only, setOnly] = useKept<number | null>("alarms.only", null), all = callingAlarms.value, shown = only ? all.filter((a) => a.priority === only) : all;
  const unacked = all.filter((a) => a.state === "unacknowledged").length;
  return (
    <section class="panel alarms" aria-label={say("alarms")}>
      <header><h2>{say("alarms")}</h2><small>{say("alarms.count", { n: all.length, m: unacked })}</small></header>
      <PriorityChips alarms={activeAlarms.value} only={only} onOnly={setOnly} />
      {shown.length === 0 && <p class="empty">{say("alarms.none", { at: clock(serverNow()) })}</p>}
      <ul>{shown.slice(0, 60).map((a) => <AlarmRow key={a.id} alarm={a} isChosen={device.value === a.device} onChoose={() => goTo(a.device)} />)}</ul>
    </section>
  );
}

/** Alarms per ten minutes against the load one operator can carry. */
export function AlarmLoad(): JSX.Element {
  const [rows, setRows] = useState<{ t: number; n: number }[] | null>(null);
  useEffect(() => {
    const load = () => api.alarmLoad().then(setRows, () => undefined);
    void load();
    const timer = setInterval(load, 30_000);
    return () => clearInterval(timer);
  }, []);
  if (!rows) return <p class="empty">{say("loading")}</p>;
  const option = () => ({
    grid: { left: 28, right: 8, top: 14, bottom: 20 }, tooltip: { trigger: "axis" },
    xAxis: { type: "category", data: rows.map((r) => clock(r.t).slice(0, 5)), axisLabel: { color: token("--text-3"), interval: 5 }, axisTick: { show: false }, axisLine: { lineStyle: { color: token("--line-2") } } },
    yAxis: { type: "value", minInterval: 1, max: (v: { max: number }) => Math.max(12, v.max), axisLabel: { color: token("--text-3") }, splitLine: { lineStyle: { color: token("--line-1") } } },
    series: [{ type: "bar", data: rows.map((r) => r.n), itemStyle: { color: token("--c-ref") }, barCategoryGap: "30%",
      markLine: { silent: true, symbol: "none", lineStyle: { type: "dashed", color: token("--text-3") }, label: { formatter: say("alarms.limit"), color: token("--text-3"), position: "insideStartTop" }, data: [{ yAxis: 10 }] } }],
  });
  return <Chart option={option} label={say("alarms.load")} />;
}
