/** What is put aside and until when, and the rules of one device with what holds each. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { faultOf } from "../api";
import { clock, figure, span } from "../format";
import { mayAct } from "../parts/alarms";
import { PriorityMark } from "../parts/icons";
import { activeAlarms, goTo, seconds, serverNow, trail } from "../store";
import { named, pick, say } from "../words";
import { alarmApi, type AlarmRule, type Aside, type Held } from "./api";
import { AsideForm, mayTakeOut } from "./verbs";

/** The last word on the trail about something put aside or back: lists read again when it changes. */
const lastWord = (): number => trail.value.find((t) => /^alarm\.(un)?(shelved|suppressed)|^alarm\.(out_of|in)_service/.test(t.what))?.id ?? 0;

function Back({ held, onDone }: { held: Aside; onDone: (fault: string) => void }): JSX.Element {
  const [isAsking, setAsking] = useState(false), [reason, setReason] = useState(""), isOut = held.kind === "out_of_service", may = isOut ? mayTakeOut() : mayAct();
  const back = (why: string) => void alarmApi.putBack(held.key, held.kind, why).then(() => onDone(""), (e) => onDone(faultOf(e)));
  if (!isAsking) return <button disabled={!may} title={may ? "" : say(isOut ? "aside.role" : "command.viewer")} onClick={() => (isOut ? setAsking(true) : back(""))}>{say(isOut ? "aside.in_service" : "aside.unshelve")}</button>;
  return <form class="shelve" onSubmit={(e) => { e.preventDefault(); back(reason); }}><label>{say("shelve.reason")}<input required minLength={3} value={reason} onInput={(e) => setReason(e.currentTarget.value)} /></label><button class="primary">{say("aside.in_service")}</button></form>;
}

const endsIn = (until: number | null): string => (until === null ? say("aside.until_back") : say("aside.left", { span: span(Math.max(0, until - serverNow())) }));

/** Everything kept from calling anybody: shelved, out of service, suppressed by design. */
export function AsideList(): JSX.Element | null {
  void seconds.value;
  const [rows, setRows] = useState<Aside[]>([]), [designed, setDesigned] = useState(0), [fault, setFault] = useState(""), word = lastWord();
  const load = () => alarmApi.aside().then((a) => { setRows(a.aside); setDesigned(a.designed); }, () => undefined);
  useEffect(() => { void load(); const timer = setInterval(load, 30_000); return () => clearInterval(timer); }, [word]);
  const silent = activeAlarms.value.filter((a) => a.state === "suppressed");
  if (!rows.length && !silent.length && !designed) return null;
  return (
    <details class="aside-list" open={rows.length > 0}>
      <summary>{say("aside")} <small>{say("aside.counts", { s: rows.filter((r) => r.kind === "shelved").length, o: rows.filter((r) => r.kind === "out_of_service").length, d: designed })}</small></summary>
      <ul>
        {rows.map((r) => <li key={`${r.kind} ${r.key}`} class={r.kind}><button class="line" onClick={() => goTo(r.device)}><PriorityMark priority={r.priority} size={16} isHollow /><span class="what"><b>{pick(r, "title")}</b><small>{pick(r, "place") || r.device}</small></span><span class="state"><b>{say(`alarm.${r.kind}`)}</b><small>{endsIn(r.until_ms)}</small></span></button>
          <p><q>{r.reason}</q> <small>{r.who} · {clock(r.since_ms)}</small> <Back held={r} onDone={(f) => { setFault(f); void load(); }} /></p></li>)}
        {silent.map((a) => <li key={a.id} class="suppressed"><button class="line" onClick={() => goTo(a.device)}><PriorityMark priority={a.priority} size={16} isHollow /><span class="what"><b>{pick(a, "title")}</b><small>{pick(a, "place") || a.device}</small></span><span class="state"><b>{say("alarm.suppressed")}</b><small>{clock(a.changed_ms)}</small></span></button></li>)}
      </ul>
      {fault && <p class="why" role="alert">{fault}</p>}
    </details>
  );
}

/** A device's alarm rules; each can be put aside before it ever calls. */
export function DeviceRules({ device }: { device: string }): JSX.Element | null {
  const [rows, setRows] = useState<AlarmRule[]>([]), [at, setAt] = useState(""), [fault, setFault] = useState(""), word = lastWord();
  const load = () => alarmApi.rules(device).then(setRows, () => setRows([]));
  useEffect(() => { setAt(""); void load(); }, [device, word]);
  if (!rows.length) return null;
  const put = (key: string, kind: Held, reason: string, mins: number) => void alarmApi.putAside(key, kind, reason, mins).then(() => { setAt(""); setFault(""); return load(); }, (e) => setFault(faultOf(e)));
  return (
    <details class="rules"><summary>{say("rules", { n: rows.length })}</summary>
      <ul>{rows.map((r) => <li key={r.key}><PriorityMark priority={r.priority} size={14} isHollow={!r.state} /><span>{named(r)}{r.limit !== null ? ` · ${say("limit")} ${figure(r.limit, 1)}` : ""}</span><small title={r.reason}>{r.aside ? `${say(`alarm.${r.aside}`)} · ${r.by || say("aside.design")}${r.until_ms ? ` · ${endsIn(r.until_ms)}` : ""}` : r.state ? say(`alarm.${r.state}`) : say("rules.quiet")}</small>
        {!r.aside && <button disabled={!mayAct()} onClick={() => setAt(at === r.key ? "" : r.key)}>{say("aside.put")}</button>}
        {at === r.key && <AsideForm onPut={(kind, reason, mins) => put(r.key, kind, reason, mins)} />}</li>)}</ul>
      {fault && <p class="why" role="alert">{fault}</p>}
    </details>
  );
}
