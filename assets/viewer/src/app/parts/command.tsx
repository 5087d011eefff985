/** A command on the page: its sentence first, a second person's word where it is dangerous, then every step until telemetry proves it. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { CommandSpec, Device, PointSpec } from "../../contract";
import { api, type Command, faultOf, type History } from "../api";
import { clock, span } from "../format";
import { newer, useKept } from "../newer";
import { placeName } from "../placename";
import { isReplay } from "../replaying";
import { commands, goTo, line, me, seconds, serverNow, world } from "../store";
import { lang, named, pick, say, told } from "../words";
import { Chart, token } from "./chart";
import { Icon } from "./icons";

const RANK = { viewer: 0, operator: 1, commander: 2, admin: 3 } as const;
const ONE_STEPS = ["approved", "sent", "acknowledged", "confirmed"], TWO_STEPS = ["requested", ...ONE_STEPS];
const ENDS = new Set(["confirmed", "failed", "expired", "unknown", "refused"]);

export const whereOf = (d: Device): string => placeName(world.value!, d.parent, Infinity);
/** A state in the reader's words: those of the point it is of, else the house's own. */
export const stateName = (state: string | undefined, points: PointSpec[]): string => { if (!state) return "—"; const of = lang.value === "zh" && points.find((p) => p.states_zh.length && p.states.includes(state)); if (of) return of.states_zh[of.states.indexOf(state)]!; const words = say(`state.${state}`); return words.startsWith("state.") ? state : words; };

export function sentence(d: Device, spec: CommandSpec, args: Record<string, number | string>): string {
  const value = spec.args.map((a) => (args[a.key] === undefined || args[a.key] === "" ? "…" : `${args[a.key]} ${a.unit}`.trim())).join(", ");
  return pick(spec, "effect").replace(/\{device\}/g, named(d)).replace(/\{place\}/g, whereOf(d)).replace(/\{value\}/g, value) || `${named(spec)} · ${named(d)} · ${whereOf(d)} ${value}`;
}

/** Why this person may not, or null. */
export function forbidden(spec: CommandSpec): string | null {
  const role = me.value?.role ?? "viewer";
  if (isReplay) return say("replay.dispatch.why");
  if (RANK[role] < RANK.operator) return say("command.viewer");
  if (newer.value) return say("newer.order");
  return line.value.isUp ? null : say("command.line");
}

export function Order({ d, spec, onDone }: { d: Device; spec: CommandSpec; onDone: () => void }): JSX.Element {
  const [args, setArgs] = useKept<Record<string, number | string>>(`order:${d.id}:${spec.key}`, () => Object.fromEntries(spec.args.map((a) => [a.key, a.choices[0] ?? ""])));
  const [fault, setFault] = useState(""), [isSending, setSending] = useState(false), [key] = useKept<string>(`order.id:${d.id}:${spec.key}`, () => crypto.randomUUID());
  const why = forbidden(spec), isComplete = spec.args.every((a) => args[a.key] !== "" && !Number.isNaN(args[a.key]));
  const send = async () => {
    setSending(true); setFault("");
    try { const c = await api.order(d.id, spec.key, args, key); commands.value = new Map(commands.value).set(c.id, c); onDone(); }
    catch (e) { setFault(faultOf(e)); }
    setSending(false);
  };
  return (
    <div class="order">
      <p class="effect">{sentence(d, spec, args)}</p>
      {spec.args.map((a) => (
        <label key={a.key}>{named(a)}
          {a.choices.length ? <select value={String(args[a.key])} onChange={(e) => setArgs({ ...args, [a.key]: e.currentTarget.value })}>{a.choices.map((c) => <option key={c} value={c}>{stateName(c, world.value!.kinds.get(d.kind)!.points)}</option>)}</select>
            : <input type="number" min={a.low ?? undefined} max={a.high ?? undefined} step="0.5" value={args[a.key]} placeholder={`${a.low ?? ""} – ${a.high ?? ""}`} onInput={(e) => setArgs({ ...args, [a.key]: e.currentTarget.valueAsNumber })} />}
          <small>{a.unit}</small></label>
      ))}
      {spec.danger === "dangerous" && <p class="two"><Icon name="person" size={14} />{say("approval.rule")}</p>}
      {(why || fault) && <p class="why" role="alert">{fault || why}</p>}
      <div class="row"><button class="primary" disabled={!!why || !isComplete || isSending} title={why ?? ""} onClick={() => void send()}><Icon name="send" size={14} />{say(spec.danger === "dangerous" ? "approval.ask" : "command.send")}</button><button onClick={onDone}>{say("cancel")}</button></div>
    </div>
  );
}

/** approved → sent → acknowledged → confirmed, with times; the present step says what would prove it. */
export function CommandLife({ command }: { command: Command }): JSX.Element {
  void (seconds.value, lang.value);
  const done = new Map(command.steps.map(([state, ms, note]) => [state, { ms, note }])), isOver = ENDS.has(command.state);
  const STEPS = command.approve_before_ms ? TWO_STEPS : ONE_STEPS, isWaiting = waits(command);
  // proof may come before the answer: then there is no step for the answer
  const shown = !isOver ? STEPS : [...STEPS.filter((s) => done.has(s)), ...(command.state === "confirmed" ? [] : [command.state])];
  const present = shown.find((s) => !done.has(s));
  return (
    <div class={`life ${command.state}`} data-command={command.id}>
      <header><b>{pick(command, "title")}</b><small>{Object.values(command.args).join(", ")} · {command.by}</small><span>{isOver ? say(`step.${command.state}`) : span((isWaiting ? command.approve_before_ms! : command.expires_ms) - serverNow())}</span></header>
      <ol>{shown.map((s) => {
        const at = done.get(s);
        return <li key={s} class={at ? (s === command.state && isOver && s !== "confirmed" ? "failed" : "done") : s === present ? "now" : ""}>
          <i>{at ? <Icon name={s === command.state && isOver && s !== "confirmed" ? "close" : "check"} size={12} /> : s === present ? <Icon name="clock" size={12} /> : null}</i>
          <b>{say(command.approve_before_ms && (s === "requested" || s === "approved") ? `approval.${s}` : `step.${s}`)}</b><small>{at ? clock(at.ms) : s === "confirmed" && command.confirm ? command.confirm : ""}</small>{at && command.approve_before_ms && <small>{s === "requested" ? command.by : s === "approved" || s === "refused" ? command.second : ""}</small>}{at?.note && <small class="note">{told(at.note)}</small>}</li>;
      })}</ol>
      {isWaiting && <SecondWord command={command} />}
      {command.confirm && !isWaiting && <Evidence command={command} />}
    </div>
  );
}

/** Whether a command still waits for something, and when it last took a step. */
export const isLive = (c: Command): boolean => !ENDS.has(c.state);
export const lastMs = (c: Command): number => c.steps[c.steps.length - 1]?.[1] ?? 0;
/** Whether a command waits for a second person. */
export const waits = (c: Command): boolean => c.state === "requested" && c.approve_before_ms !== null;

/** The second person's buttons; who asked can only take it back. */
function SecondWord({ command }: { command: Command }): JSX.Element {
  const [fault, setFault] = useState(""), [isBusy, setBusy] = useState(false), isOwn = me.value?.user === command.by, may = RANK[me.value?.role ?? "viewer"] >= RANK.commander;
  const why = !line.value.isUp ? say("command.line") : isOwn ? say("approval.own") : may ? "" : say("approval.role");
  const act = async (work: Promise<Command>): Promise<void> => {
    setBusy(true);
    try { const c = await work; commands.value = new Map(commands.value).set(c.id, c); setFault(""); } catch (e) { setFault(faultOf(e)); }
    setBusy(false);
  };
  return (
    <div class="second">
      {(why || fault) && <p class="why" role={fault ? "alert" : undefined}>{fault || why}</p>}
      <div class="row">{!isOwn && <button class="primary" disabled={!!why || isBusy} title={why} onClick={() => void act(api.approve(command.id))}><Icon name="check" size={14} />{say("approval.approve")}</button>}
        <button disabled={isBusy || !line.value.isUp || (!isOwn && !may)} onClick={() => void act(api.refuse(command.id))}>{say(isOwn ? "approval.withdraw" : "approval.refuse")}</button></div>
    </div>
  );
}

/** Dangerous commands that wait for a second person, each with its sentence; nothing where none does. */
export function Approvals(): JSX.Element | null {
  void (seconds.value, lang.value);
  const waiting = [...commands.value.values()].filter((c) => waits(c) && serverNow() < c.approve_before_ms!).sort((a, b) => a.approve_before_ms! - b.approve_before_ms!);
  if (!waiting.length) return null;
  return (
    <section class="panel approvals" aria-label={say("approvals")}>
      <header><h2>{say("approvals")}</h2><small>{say("approvals.count", { n: waiting.length })}</small></header>
      <ul>{waiting.map((c) => {
        const d = world.value?.deviceById.get(c.device), spec = d && world.value!.kinds.get(d.kind)?.commands.find((k) => k.key === c.key);
        return <li key={c.id}><p class="effect">{d && spec ? sentence(d, spec, c.args) : `${pick(c, "title")} · ${c.device}`}</p>
          <p class="asked"><span>{say("approval.by", { who: c.by })}</span><b class="now">{span(c.approve_before_ms! - serverNow())}</b>{d && <button class="round" aria-label={say("locate")} title={say("locate")} onClick={() => goTo(d.id)}><Icon name="pin" size={14} /></button>}</p>
          <SecondWord command={c} /></li>;
      })}</ul>
    </section>
  );
}

/** The trace of the read-back point around the command. */
function Evidence({ command }: { command: Command }): JSX.Element | null {
  const point = command.confirm!.includes(".") ? command.confirm! : `${command.device}.${command.confirm}`, from = (command.steps[0]?.[1] ?? serverNow()) - 60_000;
  const [rows, setRows] = useState<History | null>(null);
  const isOver = ENDS.has(command.state);
  useEffect(() => {
    const load = () => api.history(point, from, Math.min(serverNow(), command.expires_ms + 60_000), 60).then(setRows, () => undefined);
    void load();
    if (isOver) return;
    const timer = setInterval(load, 2000);
    return () => clearInterval(timer);
  }, [point, isOver, command.state]);
  if (!rows || rows.t.length < 2) return null;
  const option = () => ({
    grid: { left: 34, right: 8, top: 8, bottom: 18 },
    xAxis: { type: "time", axisLabel: { color: token("--text-3"), fontSize: 10, hideOverlap: true }, splitLine: { show: false } },
    yAxis: { type: "value", scale: true, axisLabel: { color: token("--text-3"), fontSize: 10 }, splitLine: { lineStyle: { color: token("--line-1") } } },
    series: [{ type: "line", step: "end", symbol: "none", lineStyle: { color: token("--c-now"), width: 1.6 }, data: rows.t.map((t, k) => [t, rows.mean[k]]),
      markLine: { silent: true, symbol: "none", label: { show: false }, lineStyle: { type: "dashed", color: token("--text-3") }, data: [{ xAxis: command.steps.find((s) => s[0] === "sent")?.[1] ?? from }] } }],
  });
  return <div class="evidence"><small>{say("command.evidence")} · {command.confirm}</small><Chart option={option} label={say("command.evidence")} /></div>;
}
