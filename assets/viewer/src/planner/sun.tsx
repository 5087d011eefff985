/** The sun over the plot: the hour moves shadows only, the arc is its height over the day. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { figure } from "../app/format";
import { lang, say } from "../app/words";
import type { Result, Sunlight } from "./api";

export const hourText = (h: number): string => { const m = Math.round(h * 60); return `${Math.floor(m / 60)}:${String(m % 60).padStart(2, "0")}`; };
/** Unit vector to the sun at a true solar hour, between the quarters the server gave. */
export function sunAt(sun: Sunlight, hour: number): [number, number, number] {
  const path = sun.path, k = Math.max(0, Math.min(path.length - 2, Math.floor((hour - path[0]![0]) / (path[1]![0] - path[0]![0])))), a = path[k]!, b = path[k + 1]!, s = (hour - a[0]) / (b[0] - a[0]);
  const v = [1, 2, 3].map((i) => a[i]! + (b[i]! - a[i]!) * s) as [number, number, number], l = Math.hypot(...v);
  return [v[0] / l, v[1] / l, v[2] / l];
}
const isChina = (s: Sunlight): boolean => s.longitude > 73 && s.longitude < 135 && s.latitude > 17 && s.latitude < 54;

export function SunPanel({ result, hour, onHour }: { result: Result | null; hour: number; onHour: (h: number) => void }): JSX.Element {
  void lang.value;
  const [isPlaying, setPlaying] = useState(false), sun = result?.sunlight ?? null;
  useEffect(() => {
    if (!isPlaying || !sun) return;
    const timer = setInterval(() => onHour(hour + 0.25 > sun.hours[1] ? sun.hours[0] : hour + 0.25), 450);
    return () => clearInterval(timer);
  }, [isPlaying, hour, sun]);
  if (!sun) return <section class="planner-sun"><h2>{say("planner.sun.title")}</h2></section>;
  const [x, y, z] = sunAt(sun, hour), up = (Math.asin(z) * 180) / Math.PI, bearing = ((Math.atan2(x, y) * 180) / Math.PI + sun.convergence + 360) % 360;
  const zone = isChina(sun) ? 8 : 0, clock = (hour - 12 + sun.noon_utc + zone + 48) % 24, [from, to] = sun.hours;
  const ticks = Array.from({ length: Math.round((to - from) * 4) + 1 }, (_, k) => from + k / 4);
  const arc = sun.path.map((p) => `${((p[0] - from) / (to - from)) * 1000},${60 - Math.max(0, p[3]) * 56}`).join(" ");
  const day = `${sun.day[0]}-${String(sun.day[1]).padStart(2, "0")}`, isGreatCold = sun.day[0] === 1 && sun.day[1] === 20;
  return (
    <section class="planner-sun">
      <header><h2>{say("planner.sun.title")}</h2><b class="day">{isGreatCold ? say("planner.greatcold") : day}</b>
        <span>{say("planner.sun.where", { ns: say(sun.latitude < 0 ? "planner.south" : "planner.northern"), ew: say(sun.longitude < 0 ? "planner.west" : "planner.east"), lat: figure(Math.abs(sun.latitude), 1), lon: figure(Math.abs(sun.longitude), 1) })} · {say("planner.sun.true", { at: hourText(hour), zone: say(zone ? "planner.zone.beijing" : "planner.zone.utc"), clock: hourText(clock) })} · {say("planner.sun.angle", { up: figure(up, 1), bearing: figure(bearing, 1) })}</span>
        <span class="spacer" /><button aria-pressed={isPlaying} onClick={() => setPlaying(!isPlaying)}>{isPlaying ? "■" : "▶"} {say(isPlaying ? "planner.sun.stop" : "planner.sun.play")}</button></header>
      <div class="planner-dial">
        <svg viewBox="0 0 1000 60" preserveAspectRatio="none" aria-hidden="true"><polygon points={`0,60 ${arc} 1000,60`} /></svg>
        <input type="range" min={from} max={to} step={0.25} value={hour} aria-label={say("planner.sun.slider")} aria-valuetext={hourText(hour)} onInput={(e) => onHour(Number(e.currentTarget.value))} />
        <output style={{ left: `${((hour - from) / (to - from)) * 100}%` }}>{hourText(hour)}</output>
        <ol>{ticks.map((t) => <li key={t} class={Number.isInteger(t) ? "hour" : ""} style={{ left: `${((t - from) / (to - from)) * 100}%` }}>{Number.isInteger(t) ? hourText(t) : ""}</li>)}</ol>
      </div>
      <footer><span>{say("planner.sun.note")}</span><span>{say("planner.sun.method", { sill: sun.sill })}</span></footer>
    </section>
  );
}
