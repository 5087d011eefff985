/** How it was: counts, key figures, alarms, and what people had done by then. */
import type { JSX } from "preact";
import { clock, figure } from "../app/format";
import { PriorityMark } from "../app/parts/icons";
import { replay, replayNow } from "../app/replaying";
import { activeAlarms, commands, goTo, kpis, placePath, seconds, serverNow, trail, world } from "../app/store";
import { named, pick, say } from "../app/words";

/** Who did something, as people say it. */
export function whoOf(by: string): string {
  const [kind, rest] = by.split(":", 2);
  if (rest && (kind === "linkage" || kind === "sample")) return say(`replay.report.who.${kind}`, { name: rest });
  return by === "dispatch" ? say("replay.report.kind.dispatch") : by;
}

/** The storey, building or park looked at: what has key figures. */
const scope = () => [...placePath.value].reverse().find((n) => ["storey", "building", "park"].includes(n.kind)) ?? null;
const figures = () => (kpis.value.get(scope()?.id ?? "park") ?? []).filter((c) => c.value !== null && c.key !== "alarms").slice(0, 8);

export function AsItWas(): JSX.Element {
  void seconds.value;
  const rows = activeAlarms.value, w = world.value, people = w ? w.tracks.filter((t) => t.kind === "person" && w.live.trackSeenMs[t.i]! > 0).length : 0, hash = replay.value?.hash, here = scope();
  return (
    <section class="panel then"><header><h2>{say("replay.then")}</h2><small>{clock(serverNow())}{here ? ` · ${here.id === "park" ? say("park") : named(here)}` : ""}</small></header>
      <dl><dt>{say("alarms")}</dt><dd>{rows.length}</dd><dt>{say("replay.commands")}</dt><dd>{commands.value.size}</dd><dt>{say("replay.people")}</dt><dd>{people}</dd></dl>
      <dl class="figures" aria-label={say("kpis")}>{figures().map((c) => <div key={c.key}><dt>{named(c)}</dt><dd>{figure(c.value, c.digits)}<small>{c.unit}</small></dd></div>)}</dl>
      <ul>{rows.slice(0, 5).map((a) => <li key={a.id}><button onClick={() => goTo(a.device)}><PriorityMark priority={a.priority} size={16} isHollow={a.state === "returned"} /><span>{pick(a, "title")}<small>{pick(a, "place")}</small></span><small>{say(`alarm.${a.state}`)}</small></button></li>)}</ul>
      {hash && <p class="hash" title={hash}>{say("replay.hash", { hash: hash.slice(0, 12) })}</p>}</section>
  );
}

export function TrailThen(): JSX.Element {
  void seconds.value;
  const rows = trail.value.filter((t) => t.time_ms <= replayNow()).sort((a, b) => b.id - a.id).slice(0, 30);
  return <section class="panel trail"><header><h2>{say("trail")}</h2></header><ul>{rows.map((t) => <li key={t.id}><time>{clock(t.time_ms)}</time><span>{pick(t, "text")}</span><small>{whoOf(t.who)}</small></li>)}</ul>{trail.value.length === 0 && <p class="empty">{say("replay.trail.none")}</p>}</section>;
}
