/** `/replay`: an incident or any moment of the past, drawn by the code of the present with another clock. */
import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { type Alarm, api } from "../app/api";
import { clock, day } from "../app/format";
import { mayAct } from "../app/parts/alarms";
import { Icon, PriorityMark } from "../app/parts/icons";
import { SceneHost } from "../app/parts/scene";
import { dayOf, instantOf } from "../app/parktime";
import { ask, replay, replayNow } from "../app/replaying";
import { activeAlarms, commands, goTo, line, place, seconds, serverNow, trail, world } from "../app/store";
import { lang, named, pick, say, setLang, setTheme, theme } from "../app/words";
import { type Mark, type Moment, replayApi, type Span } from "./api";
import { ReportButton } from "./report";
import { Tracks } from "./tracks";

const OFF = new Set(["pipes"]), SPEEDS = [0.5, 1, 4, 16, 60], MINUTE = 60_000;
const problem = (e: unknown) => (e instanceof Error ? e.message : String(e));

function Banner({ title }: { title: string }): JSX.Element {
  void seconds.value;
  const at = serverNow(), [urgent, setUrgent] = useState<Alarm[]>([]);
  useEffect(() => {
    const look = () => api.alarms().then((all) => setUrgent(all.filter((a) => a.priority === 1 && a.state === "unacknowledged")), () => undefined);
    void look();
    const timer = window.setInterval(look, 5000);
    return () => window.clearInterval(timer);
  }, []);
  return (
    <header class="replay-banner">
      <h1><Icon name="clock" size={22} />{say("replay")} · {dayOf(at)} {clock(at)} · {replay.value?.speed ?? 1}×</h1><span class="what">{title}</span><span class="spacer" />
      <span>{say("replay.not")}　{say("replay.today", { at: `${dayOf(Date.now())} ${clock(Date.now())}` })}{urgent.length ? "" : ` · ${say("replay.calm")}`}</span>
      {urgent[0] && <a class="urgent" href={`/console?at=${encodeURIComponent(urgent[0].device)}`}><PriorityMark priority={1} size={20} />P1 {pick(urgent[0], "title")} · {pick(urgent[0], "place")}{urgent.length > 1 ? ` +${urgent.length - 1}` : ""}</a>}
      <button class="round" aria-label={say("language")} onClick={() => setLang(lang.value === "zh" ? "en" : "zh")}>{lang.value === "zh" ? "EN" : "中"}</button>
      <button class="round" aria-label={say("theme")} onClick={() => setTheme(theme.value === "dark" ? "light" : "dark")}><Icon name={theme.value === "dark" ? "sun" : "moon"} size={15} /></button>
      <a class="back" href="/">{say("replay.back")}</a>
    </header>
  );
}

function Pick({ moments, chosen, onChoose }: { moments: Moment[] | null; chosen: Moment | null; onChoose: (m: Moment | null, at: number) => void }): JSX.Element {
  const r = replay.value, [when, setWhen] = useState(""), w = world.value;
  return (
    <section class="panel moments"><header><h2>{say("replay.pick")}</h2></header>
      <form onSubmit={(e) => { e.preventDefault(); const at = instantOf(when); if (Number.isFinite(at)) onChoose(null, at); }}><input type="datetime-local" step={1} aria-label={say("replay.when")} value={when} onInput={(e) => setWhen(e.currentTarget.value)} /><button class="primary">{say("replay.go")}</button></form>
      {r && r.last_ms > 0 && <small>{say("replay.range", { from: `${dayOf(r.first_ms)} ${clock(r.first_ms)}`, to: clock(r.last_ms) })}</small>}
      {moments === null ? <p class="empty">{say("loading")}</p> : moments.length === 0 ? <p class="empty">{say("replay.none")}</p> : null}
      <ul>{(moments ?? []).map((m) => <li key={m.kind + m.id}><button aria-current={chosen?.id === m.id && chosen.kind === m.kind} onClick={() => { onChoose(m, m.at_ms); const n = w?.byIndex.get(m.node); if (n) goTo(n.id); }}>{m.priority ? <PriorityMark priority={m.priority} size={18} /> : <Icon name="live" size={16} />}<span>{m.is_sample && <b class="sample">{say("replay.sample")}</b>}{pick(m, "title")}<small>{pick(m, "place") || say(`replay.${m.kind}`)}</small></span><time>{clock(m.at_ms)}<small>{day(m.at_ms)}</small></time></button></li>)}</ul>
    </section>
  );
}

function AsItWas(): JSX.Element {
  void seconds.value;
  const rows = activeAlarms.value, w = world.value, people = w ? w.tracks.filter((t) => t.kind === "person" && w.live.trackSeenMs[t.i]! > 0).length : 0, hash = replay.value?.hash;
  return (
    <>
      <section class="panel then"><header><h2>{say("replay.then")}</h2><small>{clock(serverNow())}</small></header>
        <dl><dt>{say("alarms")}</dt><dd>{rows.length}</dd><dt>{say("replay.commands")}</dt><dd>{commands.value.size}</dd><dt>{say("replay.people")}</dt><dd>{people}</dd></dl>
        <ul>{rows.slice(0, 5).map((a) => <li key={a.id}><button onClick={() => goTo(a.device)}><PriorityMark priority={a.priority} size={16} /><span>{pick(a, "title")}<small>{pick(a, "place")}</small></span><small>{say(`alarm.${a.state}`)}</small></button></li>)}</ul>
        {hash && <p class="hash" title={hash}>{say("replay.hash", { hash: hash.slice(0, 12) })}</p>}</section>
      <section class="panel trail"><header><h2>{say("trail")}</h2></header><ul>{trail.value.filter((t) => t.time_ms <= replayNow()).sort((a, b) => b.id - a.id).slice(0, 30).map((t) => <li key={t.id}><time>{clock(t.time_ms)}</time><span>{pick(t, "text")}</span><small>{t.who}</small></li>)}</ul>{trail.value.length === 0 && <p class="empty">{say("replay.trail.none")}</p>}</section>
    </>
  );
}

export function ReplayPage(): JSX.Element {
  void lang.value;
  const r = replay.value, [moments, setMoments] = useState<Moment[] | null>(null), [chosen, setChosen] = useState<Moment | null>(null), [centre, setCentre] = useState(0), [span, setSpan] = useState<Span | null>(null);
  const [marks, setMarks] = useState<Mark[]>([]), [undo, setUndo] = useState<Mark | null>(null), [fault, setFault] = useState(""), [note, setNote] = useState<string | null>(null), box = useRef<HTMLInputElement>(null);
  const known = (r?.last_ms ?? 0) > 0, middle = centre || (r?.at_ms ?? 0), from = known ? middle - 5 * MINUTE : 0, to = from + 20 * MINUTE;
  useEffect(() => { replayApi.moments().then(setMoments, (e) => { setMoments([]); setFault(problem(e)); }); replayApi.marks().then(setMarks, () => undefined); }, []);
  useEffect(() => { if (known && !centre) setCentre(r!.at_ms - 10 * MINUTE); }, [known]);
  // the window follows the scrubber when it leaves it
  useEffect(() => { if (centre && r && (r.at_ms < from || r.at_ms > to)) setCentre(r.at_ms); }, [r?.at_ms]);
  useEffect(() => { if (centre) replayApi.span(from, to).then(setSpan, (e) => setFault(problem(e))); }, [centre]);
  const events = useMemo(() => [...new Set([...(span?.alarms.map((a) => a.at_ms) ?? []), ...(span?.commands.map((c) => c.steps[0]![1]) ?? []), ...marks.map((m) => m.at_ms)])].sort((a, b) => a - b), [span, marks]);
  const jump = (way: 1 | -1) => { const at = replayNow(), next = way > 0 ? events.find((t) => t > at + 500) : [...events].reverse().find((t) => t < at - 500); if (next !== undefined) ask({ at_ms: next }); };
  const toggle = () => ask({ is_playing: !replay.value?.is_playing });
  const save = async () => { const text = note?.trim(); if (!text) return; try { const m = await replayApi.mark(replayNow(), text); setMarks([...marks, m].sort((a, b) => a.at_ms - b.at_ms)); setNote(null); setFault(""); } catch (e) { setFault(problem(e)); } };
  const remove = async (m: Mark) => { try { await replayApi.toggle(m.id); setMarks(marks.filter((k) => k.id !== m.id)); setUndo(m); } catch (e) { setFault(problem(e)); } };
  const putBack = async () => { if (!undo) return; await replayApi.toggle(undo.id).catch((e) => setFault(problem(e))); setMarks([...marks, undo].sort((a, b) => a.at_ms - b.at_ms)); setUndo(null); };
  useEffect(() => { if (note === "") box.current?.focus(); }, [note === null]);
  useEffect(() => {
    const key = (e: KeyboardEvent) => {
      if (/INPUT|SELECT|TEXTAREA/.test((e.target as HTMLElement).tagName) || e.ctrlKey || e.metaKey || e.altKey) return;
      const step = e.shiftKey ? 10_000 : 1000, acts: Record<string, () => void> = { ArrowLeft: () => ask({ at_ms: replayNow() - step }), ArrowRight: () => ask({ at_ms: replayNow() + step }), "[": () => jump(-1), "]": () => jump(1), " ": toggle, b: () => setNote(""), B: () => setNote(""), 1: () => ask({ speed: 1 }), 2: () => ask({ speed: 4 }), 3: () => ask({ speed: 16 }), 4: () => ask({ speed: 60 }) };
      const act = acts[e.key];
      if (act && !(e.key === " " && (e.target as HTMLElement).tagName === "BUTTON")) { e.preventDefault(); act(); }
    };
    window.addEventListener("keydown", key);
    return () => window.removeEventListener("keydown", key);
  }, [events]);
  const choose = (m: Moment | null, at: number) => { setChosen(m); setSpan(null); setCentre(at); ask({ at_ms: at, is_playing: false }); };
  const where = world.value?.byId.get(place.value);
  const told = r?.fault ? `${lang.value === "zh" ? r.fault_zh : r.fault}${r.last_ms > 0 ? ` · ${say("replay.range", { from: `${dayOf(r.first_ms)} ${clock(r.first_ms)}`, to: `${dayOf(r.last_ms)} ${clock(r.last_ms)}` })}` : ""}` : "";
  return (
    <div class="page replay">
      <Banner title={chosen ? pick(chosen, "title") : ""} />
      <main><SceneHost layersOff={OFF} />{where && <div class="where"><button onClick={() => goTo("park")}>{say("park")}</button>{where.id !== "park" && <span>› {named(where)}</span>}</div>}</main>
      <aside class="right"><Pick moments={moments} chosen={chosen} onChoose={choose} /><AsItWas /></aside>
      <section class="controls">
        <button onClick={() => jump(-1)}>‹ {say("replay.before")}</button><button class="primary play" onClick={toggle}>{r?.is_playing ? `❚❚ ${say("replay.pause")}` : `▶ ${say("replay.play")}`}</button><button onClick={() => jump(1)}>{say("replay.after")} ›</button>
        <span class="speeds" role="group" aria-label={say("replay.speed")}>{SPEEDS.map((s) => <button key={s} aria-pressed={r?.speed === s} onClick={() => ask({ speed: s })}>{s}×</button>)}</span>
        {note === null ? <button disabled={!mayAct()} title={mayAct() ? "" : say("command.viewer")} onClick={() => setNote("")}>＋ {say("replay.mark")}</button> : <form class="note" onSubmit={(e) => { e.preventDefault(); void save(); }}><input ref={box} maxLength={500} required placeholder={say("replay.mark.text")} value={note} onInput={(e) => setNote(e.currentTarget.value)} onKeyDown={(e) => { if (e.key === "Escape") { e.stopPropagation(); setNote(null); } }} /><button class="primary">{say("replay.mark.save")}</button></form>}
        <ReportButton chosen={chosen} />
        {undo && <button onClick={() => void putBack()}>{say("replay.undo")}</button>}
        <span class="spacer" />{!line.value.isUp ? <p role="alert">{say("replay.line")}</p> : (told || fault) && <p role="alert">{told || fault}</p>}
        <p class="why" id="no-dispatch">{say("replay.dispatch.why")}</p><button class="locked" aria-disabled="true" aria-describedby="no-dispatch"><Icon name="send" size={13} />{say("replay.dispatch")}</button>
      </section>
      {known && <Tracks from={from} to={to} span={span} marks={marks} onRemove={(m) => void remove(m)} />}
    </div>
  );
}
