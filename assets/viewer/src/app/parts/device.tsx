/** The device card, and on it the command: sentence first, then every step of its life until telemetry proves it. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { CommandSpec, Device, DeviceKind } from "../../contract";
import { api, ApiError, type Command, type History } from "../api";
import { age, clock, digitsFor, figure, span } from "../format";
import { chosenDevice, choose, commands, goTo, line, me, reading, seconds, serverNow, valuesTick, world } from "../store";
import { lang, named, pick, say } from "../words";
import { Chart, token } from "./chart";
import { Icon } from "./icons";

const RANK = { viewer: 0, operator: 1, commander: 2, admin: 3 } as const;
const STEPS = ["approved", "sent", "acknowledged", "confirmed"];
const ENDS = new Set(["confirmed", "failed", "expired", "unknown", "refused"]);

function whereOf(d: Device): string {
  const w = world.value!, names: string[] = [];
  for (let n = w.byIndex.get(d.parent); n && n.kind !== "park" && n.kind !== "zone"; n = w.byIndex.get(n.parent)) names.unshift(named(n));
  return names.join(" · ") || say("outdoors");
}

function Point({ d, kind, at }: { d: Device; kind: DeviceKind; at: number }): JSX.Element {
  void (valuesTick.value, seconds.value);
  const spec = kind.points[at], r = reading(d, spec.key);
  const isStale = !line.value.isUp || (r !== null && r.quality === 3);
  const text = !r || Number.isNaN(r.value) ? "—" : spec.type === "state" ? stateName(spec.states[Math.round(r.value)]) : figure(r.value, digitsFor(r.value, spec.unit));
  return (
    <div class={`point${isStale ? " stale" : ""}${r?.quality === 2 ? " bad" : ""}`}>
      <dt>{named(spec)}</dt><dd><b>{text}</b><small>{spec.unit}{isStale && r ? ` · ${age(r.ageMs)}` : ""}</small></dd>
    </div>
  );
}
const stateName = (state: string | undefined): string => { if (!state) return "—"; const words = say(`state.${state}`); return words.startsWith("state.") ? state : words; };

function sentence(d: Device, spec: CommandSpec, args: Record<string, number | string>): string {
  const value = spec.args.map((a) => (args[a.key] === undefined || args[a.key] === "" ? "…" : `${args[a.key]} ${a.unit}`.trim())).join(", ");
  return pick(spec, "effect").replace(/\{device\}/g, named(d)).replace(/\{place\}/g, whereOf(d)).replace(/\{value\}/g, value) || `${named(spec)} · ${named(d)} · ${whereOf(d)} ${value}`;
}

/** Why this person may not, or null. */
function forbidden(spec: CommandSpec): string | null {
  const role = me.value?.role ?? "viewer";
  if (RANK[role] < RANK.operator) return say("command.viewer");
  if (spec.danger === "dangerous" && RANK[role] < RANK.commander) return say("command.danger");
  return line.value.isUp ? null : say("command.line");
}

function Order({ d, spec, onDone }: { d: Device; spec: CommandSpec; onDone: () => void }): JSX.Element {
  const [args, setArgs] = useState<Record<string, number | string>>(() => Object.fromEntries(spec.args.map((a) => [a.key, a.choices[0] ?? ""])));
  const [fault, setFault] = useState(""), [isSending, setSending] = useState(false), [key] = useState(() => crypto.randomUUID());
  const why = forbidden(spec), isComplete = spec.args.every((a) => args[a.key] !== "" && !Number.isNaN(args[a.key]));
  const send = async () => {
    setSending(true); setFault("");
    try { const c = await api.order(d.id, spec.key, args, key); commands.value = new Map(commands.value).set(c.id, c); onDone(); }
    catch (e) { setFault(e instanceof ApiError ? e.message : String(e)); }
    setSending(false);
  };
  return (
    <div class="order">
      <p class="effect">{sentence(d, spec, args)}</p>
      {spec.args.map((a) => (
        <label key={a.key}>{named(a)}
          {a.choices.length ? <select value={String(args[a.key])} onChange={(e) => setArgs({ ...args, [a.key]: e.currentTarget.value })}>{a.choices.map((c) => <option key={c} value={c}>{stateName(c)}</option>)}</select>
            : <input type="number" min={a.low ?? undefined} max={a.high ?? undefined} step="0.5" value={args[a.key]} placeholder={`${a.low ?? ""} – ${a.high ?? ""}`} onInput={(e) => setArgs({ ...args, [a.key]: e.currentTarget.valueAsNumber })} />}
          <small>{a.unit}</small></label>
      ))}
      {(why || fault) && <p class="why" role="alert">{fault || why}</p>}
      <div class="row"><button class="primary" disabled={!!why || !isComplete || isSending} title={why ?? ""} onClick={() => void send()}><Icon name="send" size={14} />{say("command.send")}</button><button onClick={onDone}>{say("cancel")}</button></div>
    </div>
  );
}

/** approved → sent → acknowledged → confirmed, with times; the present step says what would prove it. */
export function CommandLife({ command }: { command: Command }): JSX.Element {
  void (seconds.value, lang.value);
  const done = new Map(command.steps.map(([state, ms, note]) => [state, { ms, note }])), isOver = ENDS.has(command.state);
  const shown = isOver && command.state !== "confirmed" ? [...STEPS.filter((s) => done.has(s)), command.state] : STEPS;
  const present = shown.find((s) => !done.has(s));
  return (
    <div class={`life ${command.state}`} data-command={command.id}>
      <header><b>{pick(command, "title")}</b><small>{Object.values(command.args).join(", ")} · {command.by}</small><span>{isOver ? say(`step.${command.state}`) : span(command.expires_ms - serverNow())}</span></header>
      <ol>{shown.map((s) => {
        const at = done.get(s);
        return <li key={s} class={at ? (s === command.state && isOver && s !== "confirmed" ? "failed" : "done") : s === present ? "now" : ""}>
          <i>{at ? <Icon name={s === command.state && isOver && s !== "confirmed" ? "close" : "check"} size={12} /> : s === present ? <Icon name="clock" size={12} /> : null}</i>
          <b>{say(`step.${s}`)}</b><small>{at ? clock(at.ms) : s === "confirmed" && command.confirm ? command.confirm : ""}</small>{at?.note && <small class="note">{at.note}</small>}</li>;
      })}</ol>
      {command.confirm && <Evidence command={command} />}
    </div>
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

export function DeviceCard(): JSX.Element {
  void lang.value;
  const d = chosenDevice.value, [ordering, setOrdering] = useState<string | null>(null);
  useEffect(() => setOrdering(null), [d?.id]);
  if (!d) return <section class="panel device"><p class="empty">{say("device.none")}</p></section>;
  const kind = world.value!.kinds.get(d.kind)!, spec = kind.commands.find((c) => c.key === ordering);
  // while an order is written no former command's proof stands under it: nobody takes it for theirs
  const own = [...commands.value.values()].filter((c) => c.device === d.id).sort((a, b) => (b.steps[0]?.[1] ?? 0) - (a.steps[0]?.[1] ?? 0));
  return (
    <section class="panel device" aria-label={say("device")}>
      <header><span class="ring"><Icon name={kind.symbol in ICON_OF ? ICON_OF[kind.symbol] : "facilities"} size={20} /></span><div><h2>{named(d)}</h2><small>{named(kind)} · {whereOf(d)}</small></div>
        <button class="round" aria-label={say("locate")} title={say("locate")} onClick={() => goTo(d.id)}><Icon name="pin" size={16} /></button><button class="round" aria-label={say("close")} onClick={() => choose(null)}><Icon name="close" size={15} /></button></header>
      <dl>{kind.points.map((_, k) => <Point key={k} d={d} kind={kind} at={k} />)}</dl>
      {spec ? <Order d={d} spec={spec} onDone={() => setOrdering(null)} /> : kind.commands.length > 0 && (
        <div class="verbs">{kind.commands.map((c) => { const why = forbidden(c); return <button key={c.key} disabled={!!why} title={why ?? ""} onClick={() => setOrdering(c.key)}>{named(c)}{c.danger === "dangerous" ? " ⚠" : ""}</button>; })}
          {forbidden(kind.commands[0]) && <small class="why">{forbidden(kind.commands[0])}</small>}</div>)}
      {!spec && own.slice(0, 1).map((c) => <CommandLife key={c.id} command={c} />)}
      {own.slice(spec ? 0 : 1, 4).map((c) => <p class="past" key={c.id}>{clock(c.steps[0]?.[1] ?? 0)} {pick(c, "title")} · {say(`step.${c.state}`)}</p>)}
    </section>
  );
}
const ICON_OF: Record<string, string> = { camera: "camera", door: "access", gate: "access", meter: "energy", pv_inverter: "sun", charger: "energy", smoke: "emergency", env_sensor: "environment", intrusion: "security" };
