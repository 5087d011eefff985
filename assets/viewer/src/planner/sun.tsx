/** The sun over the plot: the day decides the façades, the hour moves shadows only, the arc is its height over the day. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { figure } from "../app/format";
import { clockOf, zoneName } from "../app/parktime";
import { lang, say } from "../app/words";
import type { Result } from "./api";
import { dayOfStudy, GREAT_COLD, hourText, instantOfSolar, solsticeOf, sunAt } from "./solar";

const locale = (): string => (lang.value === "zh" ? "zh-CN" : "en-GB");
/** 01-20 → Great Cold, 20 January */
export function dayWords(monthDay: string, latitude: number): string {
  const day = new Date(`2026-${monthDay}T00:00Z`).toLocaleDateString(locale(), { timeZone: "UTC", month: "short", day: "numeric" });
  if (monthDay === GREAT_COLD && latitude > 0) return say("planner.greatcold", { day });
  return monthDay === solsticeOf(latitude) ? say("planner.solstice", { day }) : day;
}

interface Props { result: Result | null; ruleDay: string; day: string; isBusy: boolean; hour: number; onDay: (day: string) => void; onHour: (h: number) => void }

export function SunPanel({ result, ruleDay, day, isBusy, hour, onDay, onHour }: Props): JSX.Element {
  void lang.value;
  const [isPlaying, setPlaying] = useState(false), sun = result?.sunlight ?? null;
  useEffect(() => {
    if (!isPlaying || !sun) return;
    const timer = setInterval(() => onHour(hour + 0.25 > sun.hours[1] ? sun.hours[0] : hour + 0.25), 450);
    return () => clearInterval(timer);
  }, [isPlaying, hour, sun]);
  if (!sun) return <section class="planner-sun"><h2>{say("planner.sun.title")}</h2></section>;
  const [x, y, z] = sunAt(sun, hour), up = (Math.asin(z) * 180) / Math.PI, bearing = ((Math.atan2(x, y) * 180) / Math.PI + sun.convergence + 360) % 360;
  const now = instantOfSolar(sun, hour), [from, to] = sun.hours, shown = day || ruleDay;
  const ticks = Array.from({ length: Math.round((to - from) * 4) + 1 }, (_, k) => from + k / 4);
  const arc = sun.path.map((p) => `${((p[0] - from) / (to - from)) * 1000},${60 - Math.max(0, p[3]) * 56}`).join(" ");
  const presets = [...new Set([ruleDay, solsticeOf(sun.latitude)])], isOther = !presets.includes(shown);
  return (
    <section class="planner-sun">
      <header><h2>{say("planner.sun.title")}</h2>
        <div class="pair days" role="group" aria-label={say("planner.sun.day")}>{presets.map((d) => <button key={d} aria-pressed={shown === d} onClick={() => onDay(d === ruleDay ? "" : d)}>{dayWords(d, sun.latitude)}</button>)}
          <label class={isOther ? "on" : ""}>{say("planner.sun.other")}<input type="date" required min="2026-01-01" max="2026-12-31" value={`2026-${shown}`} aria-label={say("planner.sun.day")} onChange={(e) => { const d = e.currentTarget.value.slice(5); if (d) onDay(d === ruleDay ? "" : d); }} /></label></div>
        <span>{say("planner.sun.where", { ns: say(sun.latitude < 0 ? "planner.south" : "planner.northern"), ew: say(sun.longitude < 0 ? "planner.west" : "planner.east"), lat: figure(Math.abs(sun.latitude), 1), lon: figure(Math.abs(sun.longitude), 1) })} · {say("planner.sun.true", { at: hourText(hour), zone: zoneName(now, locale()), clock: clockOf(now).slice(0, 5) })} · {say("planner.sun.angle", { up: figure(up, 1), bearing: figure(bearing, 1) })}</span>
        <span class="spacer" /><button aria-pressed={isPlaying} onClick={() => setPlaying(!isPlaying)}>{isPlaying ? "■" : "▶"} {say(isPlaying ? "planner.sun.stop" : "planner.sun.play")}</button></header>
      <div class="planner-dial">
        <svg viewBox="0 0 1000 60" preserveAspectRatio="none" aria-hidden="true"><polygon points={`0,60 ${arc} 1000,60`} /></svg>
        <input type="range" min={from} max={to} step={0.25} value={hour} aria-label={say("planner.sun.slider")} aria-valuetext={hourText(hour)} onInput={(e) => onHour(Number(e.currentTarget.value))} />
        <output style={{ left: `${((hour - from) / (to - from)) * 100}%` }}>{hourText(hour)}</output>
        <ol>{ticks.map((t) => <li key={t} class={Number.isInteger(t) ? "hour" : ""} style={{ left: `${((t - from) / (to - from)) * 100}%` }}>{Number.isInteger(t) ? hourText(t) : ""}</li>)}</ol>
      </div>
      <footer><span>{isBusy ? say("planner.sun.busy", { day: dayWords(shown, sun.latitude) }) : sun.rule_day || dayOfStudy(sun) !== shown ? say("planner.sun.note") : say("planner.sun.unjudged", { day: dayWords(ruleDay, sun.latitude) })}</span><span>{say("planner.sun.method", { sill: sun.sill })}</span></footer>
    </section>
  );
}
