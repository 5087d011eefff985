/** Floods as the server tells them: one row a cause or a sort and place, its alarms folded under it. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { type Alarm, faultOf } from "../api";
import { clock, span } from "../format";
import { AlarmRow, mayAct } from "../parts/alarms";
import { Icon, PriorityMark } from "../parts/icons";
import { alarms, goTo, serverNow, world } from "../store";
import { pick, say } from "../words";
import type { AlarmGroup } from "../../wire";
import { alarmApi } from "./api";
import { floods } from "./groups";

const SHOWN = 60;
function Flood({ group, chosen, onChoose, verbs }: { group: AlarmGroup; chosen: number | null; onChoose: (a: Alarm) => void; verbs: (a: Alarm) => JSX.Element }): JSX.Element {
  const [isOpen, setOpen] = useState(false), [fault, setFault] = useState(""), members = group.alarms.map((id) => alarms.value.get(id)).filter((a): a is Alarm => !!a);
  const open = isOpen || (chosen !== null && group.alarms.includes(chosen)), head = group.cause ? members.find((a) => a.id === group.cause) : undefined;
  const look = () => { if (head) onChoose(head); else { const id = world.value?.byIndex.get(group.node)?.id; if (id) goTo(id); } setOpen(!open); };
  const acknowledge = () => void alarmApi.acknowledgeAll(group.alarms).then(() => setFault(""), (e) => setFault(faultOf(e)));
  return (
    <li class={`flood alarm p${group.priority}${group.waiting ? " new" : ""}`}>
      <button class="line" aria-expanded={open} onClick={look}>
        <PriorityMark priority={group.priority} isHollow={!group.waiting} />
        <span class="what"><b>{pick(group, "title")}</b><small>{pick(group, "place") || say("flood.park")} · {group.cause ? say("flood.explains", { n: group.count - 1 }) : say("flood.same", { n: group.count })}</small></span>
        <span class="state"><b>{span(serverNow() - group.first_ms)}</b><small>{group.waiting ? say("flood.waiting", { n: group.waiting }) : say("alarm.acknowledged")}</small></span>
      </button>
      {open && <div class="alarm-verbs"><button disabled={!mayAct() || !group.waiting} onClick={acknowledge}><Icon name="check" size={13} />{say("flood.acknowledge", { n: Math.min(group.waiting, group.alarms.length) })}</button><small>{say("flood.span", { a: clock(group.first_ms), b: clock(group.last_ms) })}</small>{fault && <p class="why" role="alert">{fault}</p>}</div>}
      {open && <ul>{members.slice(0, SHOWN).map((a) => <AlarmRow key={a.id} alarm={a} isChosen={a.id === chosen} onChoose={() => onChoose(a)}>{a.id === chosen ? verbs(a) : null}</AlarmRow>)}{group.count > SHOWN && <li class="empty">{say("flood.more", { n: group.count - SHOWN })}</li>}</ul>}
    </li>
  );
}

export function Floods(props: { only: number | null; chosen: number | null; onChoose: (a: Alarm) => void; verbs: (a: Alarm) => JSX.Element }): JSX.Element | null {
  const shown = floods.value.filter((g) => !props.only || g.priority === props.only);
  if (!shown.length) return null;
  return <li class="group floods"><h3>{say("floods")} <small>{shown.length}</small></h3><ul>{shown.map((g) => <Flood key={g.key} group={g} {...props} />)}</ul></li>;
}
