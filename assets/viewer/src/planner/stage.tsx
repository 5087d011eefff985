/** The picture: the view, the line between the two sides, badges, callouts of what breaks a rule, legend, north and scale. */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { figure } from "../app/format";
import { world } from "../app/store";
import { lang, named, say, theme } from "../app/words";
import type { Breach, LeftOut, Result, Row, SchemeRow } from "./api";
import { SUN_RAMP, TINTS, type Tint } from "./facades";
import type { Mark, Notice, Slot } from "./parts";
import { dayOfStudy, hourText, sunAt } from "./solar";
import { dayWords } from "./sun";
import { limitOf, shown } from "./table";
import { PlannerView, type Mode, type Side } from "./view";

interface Spot { at: [number, number, number] | null; side: Side }
interface Props {
  results: [Result | null, Result | null]; slots: [Slot, Slot]; schemes: SchemeRow[]; mode: Mode; hour: number; marks: Mark[]; notices: Notice[]; chosen: number; /** The side a person was sent to look at. */ seen: { side: Side } | null;
  onView: (view: PlannerView | null) => void; onMark: (mark: Mark) => void; onNotice: (notice: Notice) => void; onScheme: (side: number, id: string) => void;
}
/** A callout's box and the way from it to its place, in root em (large screens have a larger one). */
const BOX_WIDE = 13.4, BOX_HIGH = 2.9, LEADER = 4.6;

export function words({ row, breach, side }: Mark, results: (Result | null)[]): [string, string] {
  const name = (lang.value === "zh" && breach.name_zh) || breach.name, limit = row.limit ?? 0, sun = results[side]?.sunlight;
  if (row.key.startsWith("sun")) return [say("planner.callout.sun", { name, storeys: breach.storeys, value: figure(breach.value, 2) }), say("planner.callout.sun.over", { limit: figure(sun?.limit ?? limit, 0), n: breach.cells.length })];
  if (["height", "setback", "spacing"].includes(row.key)) {
    const key = `planner.callout.${row.key}`;
    const digits = breach.over < 0.1 ? 2 : 1;
    return [say(key, { name, value: figure(breach.value, digits) }), say(`${key}.over`, { limit: figure(limit, 0), over: figure(breach.over, digits) })];
  }
  return [say("planner.callout.whole", { name: say(`planner.row.${row.key}`), value: `${shown(row, breach.value)}${row.unit === "%" ? " %" : row.unit ? ` ${row.unit}` : ""}` }), say("planner.callout.whole.over", { limit: limitOf(row) })];
}

export function Stage(props: Props): JSX.Element {
  const { results, slots, schemes, mode, hour, marks, notices, chosen, seen, onMark, onNotice, onScheme } = props;
  void lang.value;
  const host = useRef<HTMLDivElement>(null), over = useRef<HTMLDivElement>(null), view = useRef<PlannerView | null>(null);
  const [split, setSplit] = useState(0.5), [tint, setTint] = useState<Tint>("own"), [shownSide, setShown] = useState<Side>(0), [loaded, setLoaded] = useState<[number, number]>([0, 0]), dial = useRef<HTMLElement>(null), scale = useRef<HTMLElement>(null);
  const spots = useRef(new Map<string, Spot>());
  spots.current = new Map([...marks.map((m): [string, Spot] => [String(m.number), { at: m.breach.kind === "site" ? null : m.breach.at, side: m.side }]), ...notices.map((n, k): [string, Spot] => [`n${k}`, { at: n.item.at, side: n.side }])]);
  useEffect(() => {
    const w = world.value!, v = new PlannerView(host.current!, w.park, (id) => nodeOf(id), theme.value);
    const nodeOf = (id: string): number => w.byId.get(id)?.i ?? 0;
    view.current = v;
    v.onDrawn = () => place();
    v.onProgress = (done, total) => setLoaded([done, total]);
    props.onView(v);
    (globalThis as { parktwin?: unknown }).parktwin = { planner: v, world: w };
    return () => { v.dispose(); view.current = null; props.onView(null); };
  }, []);
  useEffect(() => { view.current?.setResult(0, results[0]); }, [results[0]]);
  useEffect(() => { view.current?.setResult(1, results[1]); }, [results[1]]);
  const sun = (results[0] ?? results[1])?.sunlight ?? null;
  useEffect(() => { if (sun) view.current?.setSun(...sunAt(sun, hour)); }, [sun, hour]);
  useEffect(() => { const v = view.current; if (v) { v.mode = mode; v.split = split; v.shown = shownSide; v.redraw(); } }, [mode, split, shownSide]);
  useEffect(() => { if (!seen) return; setShown(seen.side); setSplit((s) => (seen.side === 0 ? Math.max(s, 0.7) : Math.min(s, 0.3))); }, [seen]);
  useEffect(() => { view.current?.setTint(tint); }, [tint]);
  useEffect(() => { view.current?.setTheme(theme.value); }, [theme.value]);
  useEffect(() => { view.current?.wake(); }, [marks, notices.length, lang.value]);

  /** Callouts follow their places after every picture; boxes keep clear of each other and of the panels. */
  function place(): void {
    const v = view.current, root = over.current;
    if (!v || !root) return;
    const { clientWidth: w, clientHeight: h } = root, taken: [number, number][] = [], em = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const wide = BOX_WIDE * em, high = BOX_HIGH * em, leader = LEADER * em;
    for (const element of root.querySelectorAll<HTMLElement>("[data-mark]")) {
      const spot = spots.current.get(element.dataset.mark!), at = spot?.at ? v.project(spot.at, spot.side) : null;
      element.style.display = at ? "" : "none";
      if (!at || !spot?.at) continue;
      const isLeft = at.x > wide + leader * 0.6 && (spot.side === 0 || at.x > w - wide - leader);
      const x = isLeft ? Math.max(8, at.x - wide - leader) : Math.min(w - wide - 8, at.x + leader);
      let y = Math.max(4.4 * em, Math.min(h - high - 5.6 * em, at.y - 3.4 * em));
      for (let tries = 0; tries < 8; tries++) { const hit = taken.find(([bx, by]) => Math.abs(bx - x) < wide + 30 && Math.abs(by - y) < high + 10); if (!hit) break; y = hit[1] + high + 12; }
      taken.push([x, y]);
      const box = element.querySelector<HTMLElement>("button")!, line = element.querySelector<SVGLineElement>("line")!, dot = element.querySelector<SVGCircleElement>("circle")!;
      box.style.transform = `translate(${x}px,${y}px)`;
      const fromX = isLeft ? x + wide + 0.9 * em : x - 0.9 * em;
      for (const [key, value] of [["x1", fromX], ["y1", y + high / 2], ["x2", at.x], ["y2", at.y]] as const) line.setAttribute(key, String(value));
      dot.setAttribute("cx", String(at.x)); dot.setAttribute("cy", String(at.y));
      box.classList.toggle("left", isLeft);
      element.classList.toggle("through", v.isHidden(spot.at, spot.side));
    }
    const turn = -(v.orbit.now.azimuth * 180) / Math.PI;
    if (dial.current) dial.current.style.transform = `rotate(${turn}deg)`;
    if (scale.current) {
      const metres = v.orbit.state(h).metresPerPixel, wide = [5, 10, 20, 40, 50, 100, 200, 500].find((m) => m / metres > 60) ?? 500;
      scale.current.style.width = `${wide / metres}px`; scale.current.textContent = `${wide} m`;
    }
  }
  const drag = (e: PointerEvent) => {
    const handle = e.currentTarget as HTMLElement, box = over.current!.getBoundingClientRect();
    handle.setPointerCapture(e.pointerId);
    handle.onpointermove = (m) => setSplit(Math.max(0.02, Math.min(0.98, (m.clientX - box.left) / box.width)));
    handle.onpointerup = () => { handle.onpointermove = null; };
  };
  const key = (e: KeyboardEvent) => {
    const step = { ArrowLeft: -0.02, ArrowRight: 0.02 }[e.key];
    if (step) setSplit((s) => Math.max(0.02, Math.min(0.98, s + step)));
    else if (e.key === "Home") setSplit(0.02); else if (e.key === "End") setSplit(0.98); else return;
    e.preventDefault(); e.stopPropagation();
  };
  const at = mode === "swipe" ? split : 0.5, pending = slots.find((s) => s.isBusy);
  return (
    <div class={`planner-stage mode-${mode}`} ref={host}>
      <div class="planner-over" ref={over}>
        {marks.map((mark) => { const [title, more] = words(mark, results); return (
          <div key={mark.number} data-mark={mark.number} class={`callout${chosen === mark.number ? " here" : ""}`} style={{ display: "none" }}>
            <svg><line /><circle r="4" /></svg>
            <button onClick={() => onMark(mark)}><i>{mark.number}</i><b>{title}</b><small>{more}</small><small class="why">{say("planner.through")}</small></button>
          </div>); })}
        {notices.map(({ item, side, file }, k) => { const zh = lang.value === "zh", hits = zh ? item.hit_names_zh : item.hit_names; return (
          <div key={`n${side}${item.id}`} data-mark={`n${k}`} class="callout notice" style={{ display: "none" }} title={`${file}${item.line ? `:${item.line}` : ""}`}>
            <svg><line /><circle r="4" /></svg>
            <button onClick={() => onNotice(notices[k]!)}><i>!</i><b>{say("planner.left", { name: named(item) })}</b><small>{say("planner.left.why", { names: hits.join(zh ? "、" : ", ") })}</small></button>
          </div>); })}
        {mode !== "toggle" && <div class="divider" style={{ left: `${at * 100}%` }}>
          {mode === "swipe" && <button class="handle" role="slider" aria-label={say("planner.handle")} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(split * 100)} onPointerDown={drag} onKeyDown={key} onDblClick={() => setSplit(0.5)}>◂ ▸</button>}
        </div>}
        <span class="synced" style={{ left: `${at * 100}%` }}>{mode === "toggle" ? <button onClick={() => setShown(shownSide ? 0 : 1)}>⇄ {"AB"[shownSide]}</button> : say("planner.synced")}</span>
        {([0, 1] as const).map((side) => <Badge key={side} side={side} slot={slots[side]} schemes={schemes} isDimmed={mode === "toggle" && shownSide !== side} notice={notices.find((n) => n.side === side)} onNotice={onNotice} onScheme={onScheme} />)}
        {sun && <div class="planner-legend"><b>{say("planner.legend", { day: dayWords(dayOfStudy(sun), sun.latitude), from: hourText(sun.hours[0]), to: hourText(sun.hours[1]) })}</b>
          <div class="ramp">{SUN_RAMP.map((c, k) => <i key={c} style={{ background: c }}><span>{k}</span></i>)}<span class="end">8 h</span></div>
          <div class="pair" role="group" aria-label={say("planner.tint")}>{TINTS.map((t) => <button key={t} aria-pressed={tint === t} title={say(`planner.tint.${t}.why`)} onClick={() => setTint(t)}>{say(`planner.tint.${t}`)}</button>)}</div>
          <p><i class="hatch" />{sun.limit === null ? say("planner.legend.breach.plain") : say("planner.legend.breach", { limit: sun.limit })}</p></div>}
        <div class="planner-compass"><span><i ref={dial}>↑</i>{say("planner.north")}</span><span class="scale"><i ref={scale}>—</i></span><button onClick={() => view.current?.home()}>{say("planner.reset")}</button></div>
        {(pending || (loaded[1] > 0 && loaded[0] < loaded[1])) && <p class="planner-working" role="status">{pending ? say("planner.working", { name: pending.id, step: say(`planner.step.${pending.step}`) }) : say("planner.loading", { n: loaded[0], m: loaded[1] })}<progress max={1} value={pending ? pending.share : loaded[0] / Math.max(1, loaded[1])} /></p>}
      </div>
    </div>
  );
}

function Badge({ side, slot, schemes, isDimmed, notice, onNotice, onScheme }: { side: Side; slot: Slot; schemes: SchemeRow[]; isDimmed: boolean; notice: Notice | undefined; onNotice: (n: Notice) => void; onScheme: (side: number, id: string) => void }): JSX.Element {
  const judged = slot.result?.indicators.filter((r) => r.passes !== null) ?? [], bad = judged.filter((r) => r.passes === false).length;
  return (
    <div class={`badge ${side ? "b" : "a"}${isDimmed ? " dim" : ""}`}>
      <i class={`letter ${side ? "b" : "a"}`}>{"AB"[side]}</i>
      <select aria-label={say("planner.choose", { letter: "AB"[side]! })} value={slot.id} onChange={(e) => onScheme(side, e.currentTarget.value)}>{schemes.map((s) => <option key={s.id} value={s.id}>{named(s)}</option>)}</select>
      {slot.error ? <span class="bad">✕ {say("planner.failed")}</span> : slot.result && <span>{judged.length ? say("planner.limits", { n: judged.length, m: bad }) : say("planner.limits.none")}</span>}
      {notice && <button class="wrong" onClick={() => onNotice(notice)}>{say("planner.left.count", { n: slot.result?.left_out.length ?? 1 })}</button>}
    </div>
  );
}
