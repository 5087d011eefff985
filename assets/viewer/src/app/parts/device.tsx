/** The device card: its points as they stand, and the commands it takes. */
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Device, DeviceKind } from "../../contract";
import { age, clock, digitsFor, figure } from "../format";
import { useKept } from "../newer";
import { chosenDevice, choose, commands, goTo, line, reading, seconds, texts, valuesTick, world } from "../store";
import { lang, named, pick, say } from "../words";
import { CommandLife, forbidden, isLive, lastMs, Order, stateName, whereOf } from "./command";
import { Icon } from "./icons";
import { Relations } from "./relations";


function Point({ d, kind, at }: { d: Device; kind: DeviceKind; at: number }): JSX.Element {
  void (valuesTick.value, seconds.value);
  const spec = kind.points[at], r = reading(d, spec.key);
  const isStale = !line.value.isUp || (r !== null && r.quality === 3);
  const text = !r || Number.isNaN(r.value) ? "—" : spec.type === "state" ? stateName(spec.states[Math.round(r.value)], [spec]) : spec.type === "text" ? texts.value.get(Math.round(r.value)) ?? "—" : figure(r.value, digitsFor(r.value, spec.unit));
  return (
    <div class={`point${spec.type === "text" ? " text" : ""}${isStale ? " stale" : ""}${r?.quality === 2 ? " bad" : ""}`}>
      <dt>{named(spec)}</dt><dd><b>{text}</b><small>{spec.unit}{isStale && r ? ` · ${age(r.ageMs)}` : ""}</small></dd>
    </div>
  );
}

export function DeviceCard(): JSX.Element {
  void lang.value;
  const d = chosenDevice.value, [ordering, setOrdering] = useKept<string | null>("ordering", null), of = useRef(d?.id);
  useEffect(() => { if (of.current !== d?.id) { of.current = d?.id; setOrdering(null); } }, [d?.id]);
  if (!d) return <section class="panel device"><p class="empty">{say("device.none")}</p></section>;
  const kind = world.value!.kinds.get(d.kind)!, spec = kind.commands.find((c) => c.key === ordering);
  // while an order is written no former command's proof stands under it: nobody takes it for theirs
  const own = [...commands.value.values()].filter((c) => c.device === d.id).sort((a, b) => Number(isLive(b)) - Number(isLive(a)) || lastMs(b) - lastMs(a));
  return (
    <section class="panel device" aria-label={say("device")}>
      <header><span class="ring"><Icon name={kind.symbol in ICON_OF ? ICON_OF[kind.symbol] : "facilities"} size={20} /></span><div><h2>{named(d)}</h2><small>{named(kind)} · {whereOf(d)}</small></div>
        <button class="round" aria-label={say("locate")} title={say("locate")} onClick={() => goTo(d.id)}><Icon name="pin" size={16} /></button><button class="round" aria-label={say("close")} onClick={() => choose(null)}><Icon name="close" size={15} /></button></header>
      <dl>{kind.points.map((_, k) => <Point key={k} d={d} kind={kind} at={k} />)}</dl>
      <Relations id={d.id} />
      {spec ? <Order d={d} spec={spec} onDone={() => setOrdering(null)} /> : kind.commands.length > 0 && (
        <div class="verbs">{kind.commands.map((c) => { const why = forbidden(c); return <button key={c.key} disabled={!!why} title={why ?? ""} onClick={() => setOrdering(c.key)}>{named(c)}{c.danger === "dangerous" ? " ⚠" : ""}</button>; })}
          {forbidden(kind.commands[0]) && <small class="why">{forbidden(kind.commands[0])}</small>}</div>)}
      {!spec && own.slice(0, 1).map((c) => <CommandLife key={c.id} command={c} />)}
      {own.slice(spec ? 0 : 1, 4).map((c) => <p class="past" key={c.id}>{clock(c.steps[0]?.[1] ?? 0)} {pick(c, "title")} · {say(`step.${c.state}`)}</p>)}
    </section>
  );
}
const ICON_OF: Record<string, string> = { camera: "camera", door: "access", gate: "access", meter: "energy", pv_inverter: "sun", charger: "energy", smoke: "emergency", env_sensor: "environment", intrusion: "security" };
