/** The load chart: power of the scope looked at, today against yesterday. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api, type History } from "../api";
import { clock, figure } from "../format";
import { midnightOf } from "../parktime";
import { placePath, serverNow, world } from "../store";
import { lang, named, say } from "../words";
import { Chart, token } from "./chart";

/** The meter that stands for the scope: one bound straight to the place, else the nearest above that has one. */
function meterOf(): { id: string; name: string } | null {
  const w = world.value;
  if (!w) return null;
  for (const node of [...placePath.value].reverse()) {
    const found = w.devices.find((d) => d.kind === "meter" && d.parent === node.i) ?? (node.kind === "park" ? w.devices.find((d) => d.kind === "meter") : undefined);
    if (found) return { id: found.id, name: named(found) };
  }
  return null;
}
const DAY = 86_400_000, QUARTER = 900_000;

export function LoadChart(): JSX.Element {
  const meter = meterOf(), [rows, setRows] = useState<{ today: History; before: History } | null>(null), [fault, setFault] = useState("");
  useEffect(() => {
    if (!meter) return;
    let isGone = false;
    const load = async () => {
      const now = serverNow(), start = midnightOf(now);
      try {
        const [today, before] = await Promise.all([api.history(`${meter.id}.power`, start, now, Math.max(1, Math.ceil((now - start) / QUARTER))), api.history(`${meter.id}.power`, start - DAY, start, DAY / QUARTER)]);
        if (!isGone) { setRows({ today, before }); setFault(""); }
      } catch (e) { if (!isGone) setFault(String(e)); }
    };
    void load();
    const timer = setInterval(() => void load(), 30_000);
    return () => { isGone = true; clearInterval(timer); };
  }, [meter?.id]);
  const last = rows?.today.mean.findLast((v) => v !== null) ?? null;
  const option = () => ({
    grid: { left: 38, right: 10, top: 10, bottom: 22 }, tooltip: { trigger: "axis", valueFormatter: (v: unknown) => `${figure(v as number, 0)} kW` },
    xAxis: { type: "time", min: midnightOf(serverNow()), max: midnightOf(serverNow()) + DAY, axisLabel: { formatter: (t: number) => clock(t).slice(0, 2), color: token("--text-3"), hideOverlap: true }, axisLine: { lineStyle: { color: token("--line-2") } }, splitLine: { show: false } },
    yAxis: { type: "value", axisLabel: { color: token("--text-3") }, splitLine: { lineStyle: { color: token("--line-1") } } },
    series: [
      { name: say("yesterday"), type: "line", symbol: "none", connectNulls: false, lineStyle: { type: "dashed", color: token("--c-ref"), width: 1.3 }, data: rows?.before.t.map((t, k) => [t + DAY, rows.before.mean[k]]) },
      { name: say("today"), type: "line", symbol: "none", connectNulls: false, lineStyle: { color: token("--c-now"), width: 1.8 }, data: rows?.today.t.map((t, k) => [t, rows.today.mean[k]]) },
    ],
  });
  void lang.value;
  return (
    <section class="panel load"><header><h2>{meter ? meter.name : say("load")}</h2><small>{say("load.today")}</small>{last !== null && <b class="now">{figure(last, 0)} kW</b>}</header>
      {!meter ? <p class="empty">{say("load.none")}</p> : fault ? <p class="empty">{say("load.failed")} {fault}</p> : rows ? <><p class="key"><i class="solid" />{say("today")}<i class="dash" />{say("yesterday")}</p><Chart option={option} label={say("load")} /></> : <p class="empty">{say("loading")}</p>}
    </section>
  );
}
