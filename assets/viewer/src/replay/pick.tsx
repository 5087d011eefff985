/** Where to go: an incident or drill on record, or any time. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { clock, day } from "../app/format";
import { Icon, PriorityMark } from "../app/parts/icons";
import { dayOf, instantOf } from "../app/parktime";
import { replay } from "../app/replaying";
import { goTo, world } from "../app/store";
import { pick, say } from "../app/words";
import type { Moment } from "./api";

/** Goes to where it happened. */
export function visit(m: Moment): void {
  const w = world.value, id = w?.byIndex.get(m.node)?.id ?? w?.devices.find((d) => d.i === m.node)?.id;
  if (id) goTo(id);
}

export function Pick({ moments, chosen, onChoose }: { moments: Moment[] | null; chosen: Moment | null; onChoose: (m: Moment | null, at: number) => void }): JSX.Element {
  const r = replay.value, [when, setWhen] = useState("");
  return (
    <section class="panel moments"><header><h2>{say("replay.pick")}</h2></header>
      <form onSubmit={(e) => { e.preventDefault(); const at = instantOf(when); if (Number.isFinite(at)) onChoose(null, at); }}><input type="datetime-local" step={1} aria-label={say("replay.when")} value={when} onInput={(e) => setWhen(e.currentTarget.value)} /><button class="primary">{say("replay.go")}</button></form>
      {r && r.last_ms > 0 && <small>{say("replay.range", { from: `${dayOf(r.first_ms)} ${clock(r.first_ms)}`, to: clock(r.last_ms) })}</small>}
      {moments === null ? <p class="empty">{say("loading")}</p> : moments.length === 0 ? <p class="empty">{say("replay.none")}</p> : null}
      <ul>{(moments ?? []).map((m) => <li key={m.kind + m.id}><button aria-current={chosen?.id === m.id && chosen.kind === m.kind} onClick={() => { onChoose(m, m.at_ms); visit(m); }}>{m.priority ? <PriorityMark priority={m.priority} size={18} /> : <Icon name="live" size={16} />}<span>{m.is_sample && <b class="sample">{say("replay.sample")}</b>}{pick(m, "title")}<small>{pick(m, "place") || say(`replay.${m.kind}`)}</small></span><time>{clock(m.at_ms)}<small>{day(m.at_ms)}</small></time></button></li>)}</ul>
    </section>
  );
}
