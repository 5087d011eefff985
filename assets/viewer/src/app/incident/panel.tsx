/** The incident of an alarm: its linkage as it truly stands, its plan to tick off, the people sent, closing it. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { DispatchView, IncidentView, LinkageRun, LinkageStep, PlanStep } from "../../wire";
import { type Alarm, faultOf, inWords } from "../api";
import { figure, span } from "../format";
import { mayAct } from "../parts/alarms";
import { Icon } from "../parts/icons";
import { alarms, goTo, me, seconds, serverNow, world } from "../store";
import { lang, named, pick, say, told } from "../words";
import { dispatches, incidentApi, incidentOf, type LeftOut, LIVE, type PlanInfo } from "./state";

const mayCommand = (): boolean => ["commander", "admin"].includes(me.value?.role ?? "");

export function IncidentPanel({ alarm }: { alarm: Alarm }): JSX.Element {
  void (seconds.value, lang.value);
  const incident = incidentOf(alarm.id), [fault, setFault] = useState("");
  useEffect(() => setFault(""), [alarm.id]);
  const act = async (work: Promise<unknown>): Promise<void> => { try { await work; setFault(""); } catch (e) { setFault(faultOf(e)); } };
  if (!incident) return <Unopened alarm={alarm} fault={fault} act={act} />;
  return (
    <section class="panel incident">
      <header><h2>{say("incident", { n: incident.id })}</h2><small>{say("incident.alarms", { n: incident.alarms.length })}</small><a href={`/replay?incident=${incident.id}`}>{say("replay")}</a><b class="now">T + {span(serverNow() - incident.opened_ms)}</b></header>
      {fault && <p class="why" role="alert">{fault}</p>}
      <Linkage incident={incident} act={act} />
      <Plan incident={incident} act={act} />
      <People incident={incident} alarm={alarm} act={act} />
      <Close incident={incident} act={act} />
    </section>
  );
}
type Act = (work: Promise<unknown>) => Promise<void>;

function Unopened({ alarm, fault, act }: { alarm: Alarm; fault: string; act: Act }): JSX.Element {
  const steps = lang.value === "zh" && alarm.steps_zh.length ? alarm.steps_zh : alarm.steps, left = alarm.deadline_mins * 60_000 - (serverNow() - alarm.raised_ms);
  return (
    <section class="panel incident"><header><h2>{say("response")} · {pick(alarm, "owner")}</h2><b class="now">{left >= 0 ? say("response.left", { span: span(left) }) : say("response.late", { span: span(-left) })}</b></header>
      <ol class="read">{steps.map((s, k) => <li key={k}><i>{k + 1}</i><span>{s}</span></li>)}</ol>
      {fault && <p class="why" role="alert">{fault}</p>}
      <div class="row"><button disabled={!mayAct()} title={mayAct() ? "" : say("command.viewer")} onClick={() => void act(incidentApi.declare(alarm.id).then((i) => incidentApi.plan(i.id, i.plans[0] ?? "response")))}>{say("incident.declare")}</button><small>{say("incident.declare.hint")}</small></div></section>
  );
}

function Linkage({ incident, act }: { incident: IncidentView; act: Act }): JSX.Element | null {
  const run = incident.linkage, [isOpen, setOpen] = useState<boolean | null>(null);
  if (!run) return <p class="empty">{say("linkage.none")}</p>;
  const proved = run.steps.filter((s) => s.state === "confirmed" || s.state === "shown").length, shows = isOpen ?? run.state !== "done"; // all done: the room is for what is not
  return (
    <div class="block"><h3>{say("linkage")} · {named(run)}<small>{proved} / {run.steps.length}　{say(`linkage.${run.state}`)}</small><button class="round" aria-expanded={shows} aria-label={say("linkage.steps")} title={say("linkage.steps")} onClick={() => setOpen(!shows)}><Icon name="down" size={14} /></button></h3>
      {run.state === "asked" && <Word incident={incident} run={run} act={act} />}
      {shows && <ul class="steps">{run.steps.map((s) => <LinkStep key={s.key} step={s} isAsked={run.state === "asked"} />)}</ul>}</div>
  );
}

/** The word a linkage waits for: a commander's, or two people's where a step is dangerous. */
function Word({ incident, run, act }: { incident: IncidentView; run: LinkageRun; act: Act }): JSX.Element {
  const isSecond = run.asked_by !== "" && serverNow() < (run.approve_before_ms ?? 0), isOwn = isSecond && run.asked_by === me.value?.user;
  const why = isOwn ? say("approval.own") : (run.needs_two && !isSecond ? mayAct() : mayCommand()) ? "" : say("linkage.role");
  const text = !run.needs_two ? say("linkage.ask") : isSecond ? say("approval.linkage", { who: run.asked_by }) : say("approval.linkage.first");
  return <div class="row ask"><span>{text}{isSecond && <b class="now"> {span(run.approve_before_ms! - serverNow())}</b>}{isOwn && <small>{why}</small>}</span><button class="primary" disabled={!!why} title={why} onClick={() => void act(incidentApi.linkage(incident.id))}>{say(run.needs_two && !isSecond ? "approval.ask" : isSecond ? "approval.approve" : "linkage.confirm")}</button></div>;
}

const MARK: Record<string, string> = { confirmed: "check", shown: "camera" };
function LinkStep({ step, isAsked }: { step: LinkageStep; isAsked: boolean }): JSX.Element {
  const proved = step.targets.filter((t) => t.state === "confirmed" || t.state === "shown").length, [isOpen, setOpen] = useState(false);
  const took = step.started_ms === null ? "" : `+${span((step.ended_ms ?? serverNow()) - step.started_ms)}`, bad = step.state === "failed" || step.state === "expired";
  return (
    <li class={`${step.state}${bad ? " bad" : ""}`}><button aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
      <i>{MARK[step.state] ? <Icon name={MARK[step.state]} size={12} /> : bad ? "!" : step.state === "none" ? "–" : "·"}</i>
      <span>{named(step)}<small>{step.targets.length ? `${proved} / ${step.targets.length} ` : ""}{say(isAsked ? "linkstep.asked" : `linkstep.${step.state}`)}</small></span>
      <time>{took}<small>{say("linkstep.limit", { span: span(step.limit_secs * 1000) })}</small></time></button>
      {isOpen && <ul class="targets">{step.targets.map((t) => <li key={t.device}><button onClick={() => goTo(t.device)}>{named(t)}</button><small>{t.metres === null ? say("metres.none") : say("metres", { n: figure(t.metres, 0) })}</small><em title={told(t.note)}>{say(`linkstep.${t.state}`)}</em></li>)}</ul>}</li>
  );
}

function Plan({ incident, act }: { incident: IncidentView; act: Act }): JSX.Element {
  const [plans, setPlans] = useState<PlanInfo[]>([]), run = incident.plan;
  useEffect(() => { incidentApi.plans().then((a) => setPlans(a.plans), () => setPlans([])); }, []);
  if (!run) {
    const offered = incident.plans.map((id) => plans.find((p) => p.id === id) ?? (id === "response" ? { id, name: say("plan.response"), name_zh: say("plan.response"), owner: "", owner_zh: "" } : null)).filter((p): p is PlanInfo => p !== null);
    return <div class="block"><h3>{say("plan")}</h3><div class="row">{offered.map((p, k) => <button key={p.id} class={k === 0 ? "primary" : ""} disabled={!mayAct()} onClick={() => void act(incidentApi.plan(incident.id, p.id))}>{say("plan.start", { name: named(p) })}</button>)}</div></div>;
  }
  const done = run.steps.filter((s) => s.done_ms !== null).length, now = run.steps.find((s) => s.done_ms === null)?.key;
  return <div class="block"><h3>{say("plan")} · {named(run)}<small>{pick(run, "owner")}　{done} / {run.steps.length}</small></h3>
    <ol class="steps plan-steps">{run.steps.map((s, k) => <PlanRow key={s.key} step={s} k={k} startedMs={run.started_ms} isNow={s.key === now} onTick={(isDone, note) => act(incidentApi.tick(incident.id, s.key, isDone, note))} />)}</ol></div>;
}

function PlanRow({ step, k, startedMs, isNow, onTick }: { step: PlanStep; k: number; startedMs: number; isNow: boolean; onTick: (isDone: boolean, note: string) => Promise<void> }): JSX.Element {
  const [isUndoing, setUndoing] = useState(false), [note, setNote] = useState(""), left = startedMs + step.limit_mins * 60_000 - serverNow(), isDone = step.done_ms !== null;
  const state = isDone ? "confirmed" : left < 0 ? "bad late" : isNow ? "now" : "waiting";
  return (
    <li class={state}><button disabled={!mayAct()} title={mayAct() ? "" : say("command.viewer")} aria-pressed={isDone} onClick={() => (isDone ? setUndoing(!isUndoing) : void onTick(true, ""))}>
      <i>{isDone ? <Icon name="check" size={12} /> : k + 1}</i>
      <span>{pick(step, "what")}{step.linked && <em>{say(step.linked === "dispatch" || step.linked === "arrived" ? "plan.by.person" : "plan.by.linkage")}</em>}<small>{pick(step, "role")}{isDone ? ` · ${step.done_by.startsWith("linkage:") ? say("linkage") : step.done_by === "dispatch" ? say("plan.by.person") : step.done_by}` : step.note ? ` · ${say("plan.undone", { note: step.note })}` : ""}</small></span>
      <time>{isDone ? `+${span(step.done_ms! - startedMs)}` : left >= 0 ? say("response.left", { span: span(left) }) : say("response.late", { span: span(-left) })}<small>{say("linkstep.limit", { span: span(step.limit_mins * 60_000) })}</small></time></button>
      {isUndoing && isDone && <form class="row" onSubmit={(e) => { e.preventDefault(); void onTick(false, note).then(() => { setUndoing(false); setNote(""); }); }}><input required minLength={3} placeholder={say("plan.undo.why")} value={note} onInput={(e) => setNote(e.currentTarget.value)} /><button>{say("plan.undo")}</button></form>}</li>
  );
}

function People({ incident, alarm, act }: { incident: IncidentView; alarm: Alarm; act: Act }): JSX.Element {
  const sent = [...dispatches.value.values()].filter((d) => d.incident === incident.id), [near, setNear] = useState<{ person: string; name: string; name_zh: string; metres: number; busy: boolean }[] | null>(null), [role, setRole] = useState("guard"), [roles, setRoles] = useState<string[]>([]);
  const at = world.value?.deviceById.has(incident.device) ? incident.device : alarm.device;
  useEffect(() => { if (!mayAct() || !world.value?.deviceById.has(at)) return; incidentApi.candidates(at, role).then((a) => { setNear(a.candidates); setRoles(a.roles); }, () => setNear([])); }, [at, role, sent.length, seconds.value - (seconds.value % 10)]);
  return (
    <div class="block"><h3>{say("people.sent")}<small>{roles.length > 1 && <select aria-label={say("people.role")} value={role} onChange={(e) => setRole(e.currentTarget.value)}>{roles.map((r) => <option key={r} value={r}>{say(`role.${r}`)}</option>)}</select>}</small></h3>
      <ul class="steps">{sent.map((d) => <Sent key={d.id} dispatch={d} act={act} />)}</ul>
      {near?.length === 0 && <p class="empty">{say("people.none")}</p>}
      <ul class="near">{near?.filter((c) => !c.busy).slice(0, 3).map((c) => <li key={c.person}><span>{named(c)}<small>{c.person}</small></span><b>{say("metres.walk", { n: figure(c.metres, 0) })}</b><button disabled={!mayAct()} onClick={() => void act(incidentApi.send(at, pick(incident, "title"), c.person, incident.id))}><Icon name="send" size={12} />{say("people.send")}</button></li>)}</ul></div>
  );
}

function Sent({ dispatch: d, act }: { dispatch: DispatchView; act: Act }): JSX.Element {
  const last = d.steps[d.steps.length - 1]!, isLive = LIVE.has(d.state), bad = d.state === "expired" || d.state === "refused";
  return <li class={`${d.state === "arrived" ? "confirmed" : isLive ? "sent" : "none"}${bad ? " bad" : ""}`}><div class="line"><i>{d.state === "arrived" ? <Icon name="check" size={12} /> : bad ? "!" : "→"}</i><span>{named(d)} → {pick(d, "place").split(" · ").pop()}<small>{say(`sent.${d.state}`)} · {say("metres.walk", { n: figure(d.metres, 0) })}{last[2] && ` · ${told(last[2])}`}</small></span><time>+{span((isLive && d.state !== "arrived" ? serverNow() : last[1]) - d.steps[0]![1])}</time>{isLive && <button onClick={() => void act(incidentApi.release(d.id))}>{say("people.release")}</button>}</div></li>;
}

/** Linkages and plans of the park folder that were left out: said where those who would miss them look. */
export function LeftOutNote(): JSX.Element | null {
  void lang.value;
  const [rows, setRows] = useState<LeftOut[]>([]);
  useEffect(() => { incidentApi.plans().then((a) => setRows(a.findings), () => setRows([])); }, []);
  if (!rows.length) return null;
  return <details class="panel left-out"><summary>{say("leftout", { n: rows.length })}</summary>
    <ul>{rows.map((r) => <li key={r.where + r.what}><b>{r.where}</b><span>{inWords({ detail: `${r.what}; ${r.mend}`, code: r.code, fill: r.fill }, r.what)}</span></li>)}</ul></details>;
}

function Close({ incident, act }: { incident: IncidentView; act: Act }): JSX.Element {
  const [note, setNote] = useState(""), open = incident.alarms.filter((id) => (alarms.value.get(id)?.state ?? "cleared") !== "cleared").length;
  return <form class="row close" onSubmit={(e) => { e.preventDefault(); void act(incidentApi.close(incident.id, note)); }}>
    <input required minLength={3} aria-label={say("incident.close.note")} placeholder={open ? say("incident.close.waits", { n: open }) : say("incident.close.note")} value={note} onInput={(e) => setNote(e.currentTarget.value)} /><button disabled={!mayCommand() || open > 0} title={!mayCommand() ? say("linkage.role") : open ? say("incident.close.waits", { n: open }) : ""}>{say("incident.close")}</button></form>;
}
