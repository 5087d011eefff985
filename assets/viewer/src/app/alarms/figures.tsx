/** The load of the alarms after EEMUA 191: rates, floods, what stands and what is stale, the worst ten, and each operator. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { clock, figure, span } from "../format";
import { PriorityMark } from "../parts/icons";
import { goTo } from "../store";
import { pick, say } from "../words";
import { alarmApi, type AlarmFigures, type TopRule } from "./api";

const HOURS = [1, 8, 24, 168];
const per = (n: number): string => (n === 0 ? "0" : figure(n, n < 10 ? 1 : 0));
const percent = (share: number): string => `${figure(share * 100, 0)} %`;
/** A figure with its name, what it should be, and whether it is. */
const Figure = ({ name, value, goal, isOver }: { name: string; value: string; goal?: string; isOver?: boolean }): JSX.Element => (
  <div class={isOver ? "over" : ""}><dt>{say(name)}</dt><dd><b>{value}</b>{goal && <small>{isOver ? "▲ " : ""}{goal}</small>}</dd></div>);
const Rules = ({ rows, title }: { rows: TopRule[]; title: string }): JSX.Element | null => (rows.length === 0 ? null : (
  <><h4>{title}</h4><ol class="top">{rows.map((r) => <li key={r.key}><button class="line" onClick={() => goTo(r.key.split(".")[0]!)}><PriorityMark priority={r.priority} size={14} /><span>{pick(r, "title")} <small>{pick(r, "place")}</small></span><b>{r.n}</b></button></li>)}</ol></>));

export function AlarmFigurePanel(): JSX.Element {
  const [isOpen, setOpen] = useState(false), [hours, setHours] = useState(8), [operators, setOperators] = useState(1), [rows, setRows] = useState<AlarmFigures | null>(null);
  useEffect(() => {
    if (!isOpen) return;
    const load = () => alarmApi.kpis(hours, operators).then(setRows, () => undefined);
    void load();
    const timer = setInterval(load, 30_000);
    return () => clearInterval(timer);
  }, [isOpen, hours, operators]);
  return (
    <details class="panel eemua" onToggle={(e) => setOpen(e.currentTarget.open)}>
      <summary><h2>{say("eemua")}</h2></summary>
      <div class="pair" role="group" aria-label={say("eemua.span")}>{HOURS.map((h) => <button key={h} aria-pressed={hours === h} onClick={() => setHours(h)}>{say("eemua.hours", { n: h })}</button>)}
        <label>{say("eemua.operators")}<input type="number" min={1} max={100} value={operators} onInput={(e) => setOperators(Math.max(1, e.currentTarget.valueAsNumber || 1))} /></label></div>
      {!rows ? <p class="empty">{say("loading")}</p> : <>
        <dl>
          <Figure name="eemua.average" value={per(rows.average_each)} goal={say("eemua.at_most", { n: rows.targets.average })} isOver={rows.average_each > rows.targets.average} />
          <Figure name="eemua.peak" value={String(rows.peak)} goal={say("eemua.at_most", { n: rows.targets.flood })} isOver={rows.peak > rows.targets.flood} />
          <Figure name="eemua.flood" value={percent(rows.flood_share)} goal={say("eemua.below", { n: 1 })} isOver={rows.flood_share > 0.01} />
          <Figure name="eemua.standing" value={String(rows.now.standing)} goal={say("eemua.at_most", { n: 10 })} isOver={rows.now.standing > 10} />
          <Figure name="eemua.stale" value={String(rows.now.stale_count)} goal={say("eemua.none")} isOver={rows.now.stale_count > 0} />
          <Figure name="eemua.ack" value={rows.median_ack_secs === null ? "—" : span(rows.median_ack_secs * 1000)} goal={rows.never_acked ? say("eemua.never", { n: rows.never_acked }) : undefined} />
        </dl>
        <h4>{say("eemua.priorities", { n: rows.count })}</h4>
        <div class="shares">{rows.by_priority.map((n, k) => <span key={k}><PriorityMark priority={k + 1} size={14} /><b>{rows.count ? percent(n / rows.count) : "—"}</b><small>{rows.targets.by_priority[k] === null ? "" : say("eemua.about", { n: figure(rows.targets.by_priority[k]! * 100, 0) })}</small></span>)}</div>
        <Rules rows={rows.top} title={say("eemua.top", { share: percent(rows.top_share) })} />
        <Rules rows={rows.chattering} title={say("eemua.chatter")} />
        {rows.now.stale.length > 0 && <><h4>{say("eemua.stale")}</h4><ol class="top">{rows.now.stale.map((a) => <li key={a.id}><button class="line" onClick={() => goTo(a.device)}><PriorityMark priority={a.priority} size={14} /><span>{pick(a, "title")} <small>{pick(a, "place")}</small></span><b>{clock(a.raised_ms)}</b></button></li>)}</ol></>}
        {rows.people.length > 0 && <table><thead><tr><th>{say("eemua.person")}</th><th>{say("eemua.acked")}</th><th>{say("eemua.median")}</th><th>{say("eemua.put_aside")}</th></tr></thead><tbody>{rows.people.map((p) => <tr key={p.who}><td>{p.who}</td><td>{p.acknowledged}</td><td>{p.median_secs === null ? "—" : span(p.median_secs * 1000)}</td><td>{p.aside}</td></tr>)}</tbody></table>}
      </>}
    </details>
  );
}
