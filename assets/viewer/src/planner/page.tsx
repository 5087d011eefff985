/** `/planner`: two schemes, or the present and one, where they would stand; the table beside them says what holds and what does not. */
import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { faultOf } from "../app/api";
import { Icon } from "../app/parts/icons";
import { useKept } from "../app/newer";
import { me, world } from "../app/store";
import { lang, named, pick, say, setLang, setTheme, theme } from "../app/words";
import { breachesOf, listSchemes, workedOut, type Result, type SchemeList, type SchemeRow } from "./api";
import { GREAT_COLD } from "./solar";
import { Faults } from "./faults";
import type { Mark, Notice, Slot } from "./parts";
import { Stage } from "./stage";
import { SunPanel } from "./sun";
import { Table } from "./table";
import type { Mode, PlannerView } from "./view";

export const LETTERS = ["A", "B"] as const;
const empty = (id: string): Slot => ({ id, result: null, isBusy: Boolean(id), step: "waiting", share: 0, error: "" });

function fromAddress(rows: SchemeRow[]): [string, string] {
  const query = new URLSearchParams(location.search), ids = rows.map((r) => r.id), own = ids.filter((i) => i !== "present");
  const known = (id: string | null, other: string) => (id && ids.includes(id) ? id : other);
  const a = known(query.get("a"), own.length > 1 ? own[0]! : "present");
  return [a, known(query.get("b"), own.find((i) => i !== a) ?? own[0] ?? "present")];
}

function dayFromAddress(): string {
  const day = new URLSearchParams(location.search).get("day") ?? "";
  return /^\d\d-\d\d$/.test(day) ? day : "";
}

export function Planner(): JSX.Element {
  void lang.value;
  const [list, setList] = useState<SchemeList | null>(null), [failed, setFailed] = useState(""), [slots, setSlots] = useState<[Slot, Slot]>([empty(""), empty("")]);
  const [mode, setMode] = useKept<Mode>("mode", "swipe"), [hour, setHour] = useKept("hour", 10.5), [chosen, setChosen] = useState(0), [seen, setSeen] = useState<{ side: 0 | 1 } | null>(null), [busy, setBusy] = useState(""), [day, setDay] = useState(() => dayFromAddress()), view = useRef<PlannerView | null>(null);
  const asked = useRef<[string, string]>(["", ""]), turn = useRef<[number, number]>([0, 0]), dayNow = useRef(day);

  const put = (side: number, change: Partial<Slot>) => setSlots((old) => old.map((s, k) => (k === side ? { ...s, ...change } : s)) as [Slot, Slot]);
  const take = (side: number, id: string) => {
    const isSame = asked.current[side] === id, mine = turn.current[side]! + 1, isMine = () => turn.current[side] === mine;
    asked.current[side] = id;
    turn.current[side] = mine;
    put(side, isSame ? { isBusy: true, step: "waiting", share: 0, error: "" } : empty(id));
    workedOut(id, dayNow.current, isMine, (step, share) => put(side, { step, share }))
      .then((result) => { if (isMine()) put(side, { result, isBusy: false }); }, (e: unknown) => { if (isMine()) put(side, { error: faultOf(e), result: null, isBusy: false }); });
    const query = new URLSearchParams(location.search);
    if (dayNow.current) query.set("day", dayNow.current); else query.delete("day");
    asked.current.forEach((key, k) => { if (key) query.set("ab"[k]!, key); });
    history.replaceState(null, "", `${location.pathname}?${query}`);
  };
  const load = () => { setFailed(""); listSchemes().then((found) => { setList(found); if (found.schemes.length > 1) fromAddress(found.schemes).forEach((id, side) => take(side, id)); }, (e: unknown) => setFailed(faultOf(e))); };
  useEffect(load, []);
  const chooseDay = (to: string) => { dayNow.current = to; setDay(to); asked.current.forEach((id, side) => id && take(side, id)); };

  const results = slots.map((s) => s.result) as [Result | null, Result | null];
  const marks = useMemo<Mark[]>(() => {
    let number = 0;
    return results.flatMap((result, side) => (result ? breachesOf(result).map(({ row, breach }) => ({ number: ++number, side: side as 0 | 1, row, breach })) : []));
  }, [results[0], results[1]]);
  const fly = (mark: Mark) => { setChosen(mark.number); if (mark.breach.kind !== "site") setSeen({ side: mark.side }); view.current?.show(mark.breach); };
  const visit = (notice: Notice) => { setChosen(0); setSeen({ side: notice.side }); view.current?.flyTo(notice.item.at); };
  const next = () => { const at = marks.findIndex((m) => m.number === chosen), mark = marks[(at + 1) % marks.length]; if (mark) fly(mark); };
  const save = async (kind: "report.pdf" | "indicators.csv") => {
    setBusy(kind);
    try {
      const answer = await fetch(`/api/v1/schemes/${kind}?a=${encodeURIComponent(slots[0].id)}&b=${encodeURIComponent(slots[1].id)}&lang=${lang.value}&day=${day}`, { credentials: "same-origin" });
      if (!answer.ok) throw new Error(((await answer.json()) as { detail?: string }).detail ?? String(answer.status));
      const link = document.createElement("a");
      link.href = URL.createObjectURL(await answer.blob());
      link.download = kind === "report.pdf" ? `schemes-${slots[0].id}-${slots[1].id}.pdf` : "indicators.csv";
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
      setFailed("");
    } catch (e) { setFailed(faultOf(e)); }
    setBusy("");
  };
  const rows = list?.schemes ?? [], first = results[0] ?? results[1], isReady = Boolean(results[0] && results[1]) && !slots.some((s) => s.isBusy);
  const notices = results.flatMap((r, side) => (r?.left_out ?? []).map((item): Notice => ({ side: side as 0 | 1, file: `${r!.id}.toml`, item })));
  const known = new Set<string>(), faults = [...(list?.faults ?? []), ...results.flatMap((r) => r?.faults ?? [])].filter((f) => { const key = `${f.file}:${f.line}:${f.what}`, isNew = !known.has(key); known.add(key); return isNew; });
  return (
    <div class="page planner">
      <header class="planner-bar">
        <a class="logo" href="/" title={say("operations")}><Icon name="logo" size={20} /></a>
        <h1>{say("planner.title")}</h1>
        <p>{world.value && named(world.value.park)}{list?.site && <> / {pick(list, "site")}</>}{list?.rules && <i>{pick(list, "rules")} · {say("planner.computed")}</i>}</p>
        <span class="spacer" />
        <div class="pair" role="group">{(["swipe", "side", "toggle"] as const).map((m) => <button key={m} aria-pressed={mode === m} onClick={() => setMode(m)}>{say(`planner.${m}`)}</button>)}</div>
        <button onClick={() => setLang(lang.value === "zh" ? "en" : "zh")}>{lang.value === "zh" ? "EN" : "中"}</button>
        <button aria-label={say("theme")} onClick={() => setTheme(theme.value === "dark" ? "light" : "dark")}><Icon name={theme.value === "dark" ? "sun" : "moon"} size={16} /></button>
        <button class="primary" disabled={!isReady || Boolean(busy)} onClick={() => void save("report.pdf")}>{say(busy === "report.pdf" ? "planner.report.busy" : "planner.report")}</button>
      </header>
      <main class="planner-view">
        {world.value && rows.length > 1 && <Stage onView={(v) => { view.current = v; }} results={results} slots={slots} schemes={rows} mode={mode} hour={hour} marks={marks} notices={notices} chosen={chosen} seen={seen} onMark={fly} onNotice={visit} onScheme={take} />}
        {list && rows.length < 2 && <p class="planner-empty">{say("planner.none")}</p>}
        {slots.map((s, side) => s.error && <div key={side} class={`planner-empty side-${side}`} role="alert"><b>{LETTERS[side]} · {say("planner.failed")}</b><p>{s.error}</p><button onClick={() => take(side, s.id)}>{say("planner.retry")}</button></div>)}
        {failed && <div class="planner-empty" role="alert"><p>{failed}</p><button onClick={load}>{say("planner.retry")}</button></div>}
      </main>
      <SunPanel result={first} ruleDay={list?.day ?? GREAT_COLD} day={day} isBusy={slots.some((s) => s.isBusy)} hour={first ? Math.max(first.sunlight.hours[0], Math.min(first.sunlight.hours[1], hour)) : hour} onDay={chooseDay} onHour={setHour} />
      <aside class="planner-table">
        <Table results={results} slots={slots} marks={marks} chosen={chosen} onMark={fly} />
        {faults.length > 0 && <Faults faults={faults} notices={notices} onNotice={visit} />}
        <footer>
          <p><b>{say("planner.verdict")}</b>{results.map((r, k) => r && <span key={k}>{verdict(r, `${LETTERS[k]} ${named(r)}`)}</span>)}</p>
          <div><button class="primary" disabled={!isReady || Boolean(busy)} onClick={() => void save("report.pdf")}>{say(busy === "report.pdf" ? "planner.report.busy" : "planner.report")}</button><button disabled={!isReady || Boolean(busy)} onClick={() => void save("indicators.csv")}>{say("planner.csv")}</button><button disabled={!marks.length} onClick={next}>{say("planner.step")} ▸</button></div>
          <small>{me.value?.name || me.value?.user}</small>
        </footer>
      </aside>
    </div>
  );
}

function verdict(result: Result, name: string): string {
  const judged = result.indicators.filter((r) => r.passes !== null), bad = judged.filter((r) => r.passes === false);
  if (!judged.length) return say("planner.verdict.none", { name });
  const but = result.sunlight.rule_day ? "" : say("planner.verdict.sun");
  return (bad.length ? say("planner.verdict.bad", { name, what: bad.map((r) => say(`planner.row.${r.key}`)).join(lang.value === "zh" ? "、" : ", ") }) : say("planner.verdict.ok", { name })) + but;
}
