/** What an operator does with one alarm: acknowledge, reset, locate, put aside, put back. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type Alarm, api, faultOf } from "../api";
import { mayAct } from "../parts/alarms";
import { Icon } from "../parts/icons";
import { alarms, choose, goTo, isAside, me } from "../store";
import { say } from "../words";
import { alarmApi, type Held } from "./api";

const WAITING = new Set(["unacknowledged", "returned", "latched_unacked"]);
export const mayTakeOut = (): boolean => me.value !== null && ["commander", "admin"].includes(me.value.role);

/** The form that puts a rule aside: shelved for a while, or out of service until somebody puts it back; always with a reason. */
export function AsideForm({ onPut }: { onPut: (kind: Held, reason: string, mins: number) => void }): JSX.Element {
  const [kind, setKind] = useState<Held>("shelved"), [mins, setMins] = useState(30), [reason, setReason] = useState("");
  return (
    <form class="shelve" onSubmit={(e) => { e.preventDefault(); onPut(kind, reason, mins); }}>
      <select value={kind} aria-label={say("aside.how")} onChange={(e) => setKind(e.currentTarget.value as Held)}>
        <option value="shelved">{say("shelve")}</option><option value="out_of_service" disabled={!mayTakeOut()}>{say("aside.take_out")}</option></select>
      {kind === "shelved" && <label>{say("shelve.mins")}<input type="number" min={1} max={480} value={mins} onInput={(e) => setMins(e.currentTarget.valueAsNumber)} /></label>}
      <label>{say("shelve.reason")}<input required minLength={3} value={reason} onInput={(e) => setReason(e.currentTarget.value)} /></label>
      <button class="primary">{say(kind === "shelved" ? "shelve" : "aside.take_out")}</button>
      {!mayTakeOut() && <small>{say("aside.role")}</small>}
    </form>
  );
}

export function Verbs({ alarm, fault, onFault }: { alarm: Alarm; fault: string; onFault: (text: string) => void }): JSX.Element {
  const [isShelving, setShelving] = useState(false), may = mayAct(), why = may ? "" : say("command.viewer");
  const act = async (work: Promise<unknown>) => { try { const a = await work as Partial<Alarm>; if (a?.id) alarms.value = new Map(alarms.value).set(a.id, a as Alarm); onFault(""); setShelving(false); } catch (e) { onFault(faultOf(e)); } };
  const canAck = WAITING.has(alarm.state), isLatched = alarm.state === "latched_acked", aside = isAside(alarm);
  useEffect(() => {
    const key = (e: KeyboardEvent) => {
      if (/INPUT|SELECT|TEXTAREA/.test((e.target as HTMLElement).tagName) || e.ctrlKey || e.metaKey || e.altKey) return;
      const k = e.key.toLowerCase();
      if (k === "a" && may && canAck) void act(api.acknowledge(alarm.id)); else if (k === "r" && may && isLatched) void act(alarmApi.reset(alarm.id));
      else if (k === "f") goTo(alarm.device); else if (k === "s" && may) setShelving(true); else if (k === "d") { choose(alarm.device); document.querySelector<HTMLElement>(".incident .near button")?.focus(); }
    };
    window.addEventListener("keydown", key);
    return () => window.removeEventListener("keydown", key);
  }, [alarm.id, alarm.state, may]);
  return (
    <div class="alarm-verbs">
      {isLatched || alarm.state === "latched_unacked" ? <button class={isLatched ? "primary" : ""} disabled={!may || !isLatched} title={why || (isLatched ? "" : say("alarm.reset.first"))} onClick={() => void act(alarmApi.reset(alarm.id))}><Icon name="check" size={13} />{say("alarm.reset")}<kbd>R</kbd></button> : null}
      {!isLatched && <button class="primary" disabled={!may || !canAck} title={why} onClick={() => void act(api.acknowledge(alarm.id))}><Icon name="check" size={13} />{say("acknowledge")}<kbd>A</kbd></button>}
      <button onClick={() => goTo(alarm.device)}><Icon name="pin" size={13} />{say("locate")}<kbd>F</kbd></button>
      <button disabled={!may} title={why} aria-expanded={isShelving} onClick={() => setShelving(!isShelving)}><Icon name="clock" size={13} />{say("aside.put")}<kbd>S</kbd></button>
      <button onClick={() => { choose(alarm.device); document.querySelector<HTMLElement>(".incident .near button")?.focus(); }}><Icon name="send" size={13} />{say("dispatch")}<kbd>D</kbd></button>
      {isShelving && !aside && <AsideForm onPut={(kind, reason, mins) => void act(kind === "shelved" ? api.shelve(alarm.id, mins, reason) : alarmApi.putAside(alarm.key, kind, reason, mins))} />}
      {fault && <p class="why" role="alert">{fault}</p>}
    </div>
  );
}
