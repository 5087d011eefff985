/** `/replay`: an incident or any moment of the past, drawn by the code of the present with another clock. */

import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { faultOf } from "../app/api";
import { clock } from "../app/format";
import { mayAct } from "../app/parts/alarms";
import { DeviceCard } from "../app/parts/device";
import { Icon } from "../app/parts/icons";
import { SceneHost } from "../app/parts/scene";
import { dayOf } from "../app/parktime";
import { ask, replay, replayNow } from "../app/replaying";
import { chosenDevice, goTo, line, place, world } from "../app/store";
import { lang, named, pick, say } from "../app/words";
import { type Mark, type Moment, replayApi, type Span } from "./api";
import { Banner } from "./banner";
import { Compare } from "./compare";
import { actOf, HELP, SPEEDS, toggle } from "./keys";
import { Pick, visit } from "./pick";
import { ReportButton } from "./report";
import { AsItWas, TrailThen } from "./then";
import { Tracks } from "./tracks";

const OFF = new Set(["pipes"]), MINUTE = 60_000;

export function ReplayPage(): JSX.Element {
  void lang.value;
  const r = replay.value, [moments, setMoments] = useState<Moment[] | null>(null), [chosen, setChosen] = useState<Moment | null>(null), [centre, setCentre] = useState(0), [span, setSpan] = useState<Span | null>(null);
  const [marks, setMarks] = useState<Mark[]>([]), [undo, setUndo] = useState<Mark | null>(null), [fault, setFault] = useState(""), [note, setNote] = useState<string | null>(null), [kept, setKept] = useState<number | null>(null), [wide, setWide] = useState(20), box = useRef<HTMLInputElement>(null);
  const known = (r?.last_ms ?? 0) > 0, middle = centre || (r?.at_ms ?? 0), from = known ? Math.floor((middle - 5 * MINUTE) / MINUTE) * MINUTE : 0, to = from + wide * MINUTE;
  useEffect(() => { replayApi.moments().then(setMoments, (e) => { setMoments([]); setFault(faultOf(e)); }); replayApi.marks().then(setMarks, () => undefined); }, []);
  useEffect(() => { if (known && !centre) setCentre(r!.at_ms - 10 * MINUTE); }, [known]);
  // the window follows the scrubber when it leaves it
  useEffect(() => { if (centre && r && (r.at_ms < from || r.at_ms > to)) setCentre(r.at_ms); }, [r?.at_ms]);
  useEffect(() => {
    if (!centre) return;
    let isWanted = true; // an answer for a former window must not stand in this one
    replayApi.span(from, to).then((s) => { if (isWanted) setSpan(s); }, (e) => { if (isWanted) setFault(faultOf(e)); });
    return () => { isWanted = false; };
  }, [from, to]);
  const events = useMemo(() => [...new Set([...(span?.alarms.map((a) => a.at_ms) ?? []), ...(span?.commands.map((c) => c.steps[0]![1]) ?? []), ...marks.map((m) => m.at_ms)])].sort((a, b) => a - b), [span, marks]);
  const jump = (way: 1 | -1) => { const at = replayNow(), next = way > 0 ? events.find((t) => t > at + 500) : [...events].reverse().find((t) => t < at - 500); if (next !== undefined) ask({ at_ms: next }); };
  const save = async () => { const text = note?.trim(); if (!text) return; try { const m = await replayApi.mark(replayNow(), text); setMarks([...marks, m].sort((a, b) => a.at_ms - b.at_ms)); setNote(null); setFault(""); } catch (e) { setFault(faultOf(e)); } };
  const remove = async (m: Mark) => { try { await replayApi.toggle(m.id); setMarks(marks.filter((k) => k.id !== m.id)); setUndo(m); } catch (e) { setFault(faultOf(e)); } };
  const putBack = async () => { if (!undo) return; await replayApi.toggle(undo.id).catch((e) => setFault(faultOf(e))); setMarks([...marks, undo].sort((a, b) => a.at_ms - b.at_ms)); setUndo(null); };
  useEffect(() => { if (note === "") box.current?.focus(); }, [note === null]);
  const keep = () => setKept(replay.value ? Math.floor(replayNow()) : null);
  useEffect(() => {
    const key = (e: KeyboardEvent) => { const act = actOf(e, { jump, mark: () => { if (mayAct()) setNote(""); }, compare: keep }); if (act) { e.preventDefault(); act(); } };
    window.addEventListener("keydown", key);
    return () => window.removeEventListener("keydown", key);
  }, [events]);
  const choose = (m: Moment | null, at: number) => {
    const long = m?.until_ms ? Math.ceil((m.until_ms - m.at_ms) / MINUTE) + 3 : 20;
    setChosen(m); setSpan(null); setWide(Math.min(60, Math.max(10, long))); setCentre(m?.until_ms ? at + 4 * MINUTE : at); ask({ at_ms: at, is_playing: false }); };
  // ?incident=7: come from that incident's panel
  useEffect(() => {
    const wanted = new URLSearchParams(location.search).get("incident"), m = wanted && known ? moments?.find((x) => x.kind === "incident" && x.id === wanted) : null;
    if (m && !chosen) { choose(m, m.at_ms); visit(m); }
  }, [moments, known]);
  const where = world.value?.byId.get(place.value);
  const told = r?.fault ? `${lang.value === "zh" ? r.fault_zh : r.fault}${r.last_ms > 0 ? ` · ${say("replay.range", { from: `${dayOf(r.first_ms)} ${clock(r.first_ms)}`, to: `${dayOf(r.last_ms)} ${clock(r.last_ms)}` })}` : ""}` : "";
  return (
    <div class="page replay">
      <Banner title={chosen ? pick(chosen, "title") : ""} />
      <main><SceneHost layersOff={OFF} />{where && <div class="where"><button onClick={() => goTo("park")}>{say("park")}</button>{where.id !== "park" && <span>› {named(where)}</span>}</div>}</main>
      <aside class="right">{kept === null ? <><Pick moments={moments} chosen={chosen} onChoose={choose} /><AsItWas />{chosenDevice.value ? <DeviceCard /> : <TrailThen />}</> : <Compare kept={kept} onClose={() => setKept(null)} />}</aside>
      <section class="controls">
        <button onClick={() => jump(-1)}>‹ {say("replay.before")}</button><button class="primary play" onClick={toggle}>{r?.is_playing ? `❚❚ ${say("replay.pause")}` : `▶ ${say("replay.play")}`}</button><button onClick={() => jump(1)}>{say("replay.after")} ›</button>
        <span class="speeds" role="group" aria-label={say("replay.speed")}>{SPEEDS.map((s) => <button key={s} aria-pressed={r?.speed === s} onClick={() => ask({ speed: s })}>{s}×</button>)}</span>
        {note === null ? <button disabled={!mayAct()} title={mayAct() ? "" : say("command.viewer")} onClick={() => setNote("")}>＋ {say("replay.mark")}</button> : <form class="note" onSubmit={(e) => { e.preventDefault(); void save(); }}><input ref={box} maxLength={500} required placeholder={say("replay.mark.text")} value={note} onInput={(e) => setNote(e.currentTarget.value)} onKeyDown={(e) => { if (e.key === "Escape") { e.stopPropagation(); setNote(null); } }} /><button class="primary">{say("replay.mark.save")}</button></form>}
        <button aria-pressed={kept !== null} onClick={() => (kept === null ? keep() : setKept(null))}>{say(kept === null ? "replay.keep" : "replay.compare.end")}</button><ReportButton chosen={chosen} />
        {undo && <button onClick={() => void putBack()}>{say("replay.undo")}</button>}
        <span class="spacer" />{!line.value.isUp ? <p role="alert">{say("replay.line")}</p> : (told || fault) && <p role="alert">{told || fault}</p>}
        <p class="why" id="no-dispatch">{say("replay.dispatch.why")}</p><button class="locked" aria-disabled="true" aria-describedby="no-dispatch"><Icon name="send" size={13} />{say("replay.dispatch")}</button>
        <p class="keys">{HELP.map(([keys, word]) => <span key={word}><kbd>{keys === "Space" ? say("replay.key.space") : keys}</kbd>{say(`replay.key.${word}`)}</span>)}</p>
      </section>
      {known && <Tracks from={from} to={to} kept={kept} span={span} marks={marks} onRemove={(m) => void remove(m)} />}
    </div>
  );
}
