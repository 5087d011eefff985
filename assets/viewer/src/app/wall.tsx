/** `/wall`: the tour on the command centre's screens; what is urgent takes it until it is over or a person resumes. */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { api } from "./api";
import { comeBack } from "./come_back";
import { clock, day, span } from "./format";
import { kpis, line, seconds, servedBuild, serverNow, world } from "./store";
import { useEscape } from "./wall_escape";
import { AlarmCounts, Figures, Progress, Sources } from "./wall_parts";
import { canvasOf, partOf, useSeams } from "./wall_layout";
import { useWallScene } from "./wall_scene";
import { wall } from "./wall_state";
import { Cameras, OtherAlarms, UrgentPlan, UrgentWords } from "./wall_urgent";
import { lang, named, say, setLang, setTheme } from "./words";

const PART = partOf(location.search), KPI_MS = 5000;
/** Once a window has seen a version of the page, another one makes it load again; so does another compiled park. */
let version = "";

/** Loads again when page or park were built anew. */
function useFresh(): void {
  const state = wall.value, build = servedBuild.value, w = world.value;
  useEffect(() => { if (!state) return; if (version && version !== state.version) comeBack(); version ||= state.version; }, [state?.version]);
  useEffect(() => { if (w?.park.build && build && build !== w.park.build) comeBack(); }, [build, w]);
}

function useSize(): void {
  const [, redraw] = useState(0);
  useEffect(() => { const on = (): void => redraw((n) => n + 1); addEventListener("resize", on); return () => removeEventListener("resize", on); }, []);
}

export function Wall(): JSX.Element {
  void (seconds.value, lang.value);
  const host = useRef<HTMLDivElement>(null), canvas = useRef<HTMLDivElement>(null), state = wall.value, w = world.value!;
  const urgent = state?.mode === "alarm" ? state.urgent : [], here = urgent.find((u) => u.node === state!.focus) ?? urgent[0];
  const escape = useEscape(here);
  const { isLost, cover } = useWallScene(host, state, PART, escape), c = canvasOf(PART, innerWidth, innerHeight), now = serverNow();
  useSize();
  useFresh();
  useEffect(() => {
    const wanted = new URLSearchParams(location.search).get("lang");
    if (wanted === "zh" || wanted === "en") setLang(wanted);
    setTheme("dark");
    document.documentElement.classList.add("is-wall");
  }, []);
  useEffect(() => {
    const load = (): void => void api.kpis("park").then((cards) => { kpis.value = new Map(kpis.value).set("park", cards); }, () => undefined);
    load();
    const timer = setInterval(load, KPI_MS);
    return () => clearInterval(timer);
  }, []);
  useSeams(canvas, c, cover);
  return (
    <div class={`page wall${here ? " alarmed" : ""}${c.isWide ? "" : " slim"}`} data-mode={state?.mode ?? "none"} data-at={state?.at ?? -1}>
      <div class="wall-scene scene-host" ref={host} />
      <div class="wall-canvas" ref={canvas} style={{ width: `${c.width}px`, height: `${c.height}px`, left: `${-c.x}px`, top: `${-c.y}px` }}>
        {here && <i class="edge" />}
        <h1 data-whole="free">{named(w.park)} <small>{say("wall.centre")}</small></h1>
        <Progress />
        <time class="wall-clock" data-whole="free"><span>{day(now)}</span><b>{clock(now)}</b></time>
        <div class="wall-banners" data-whole="free">
          {!line.value.isUp && <p class="wall-banner is-down" role="alert">{say("line.banner", { span: span(performance.now() - line.value.sinceMs) })}</p>}
          {isLost && <p class="wall-banner is-lost" role="alert">{say("wall.lost")}</p>}
          <Skipped />
        </div>
        {here ? <><section class="wall-left"><UrgentWords all={urgent} here={here} escape={escape} /><OtherAlarms shown={urgent} /></section><Cameras urgent={here} key={here.key} /><UrgentPlan urgent={here} /></>
          : <><section class="wall-left"><Figures /></section><section class="wall-right"><AlarmCounts /></section></>}
        <Sources screens={c.screens} />
        {PART.isWhole && [...c.seams.x.map((b, k) => <i key={`x${k}`} class="seam" style={{ left: `${(b[0] + b[1] - PART.gap) / 2}px`, width: `${PART.gap}px`, top: 0, bottom: 0 }} />),
          ...c.seams.y.map((b, k) => <i key={`y${k}`} class="seam" style={{ top: `${(b[0] + b[1] - PART.gap) / 2}px`, height: `${PART.gap}px`, left: 0, right: 0 }} />)]}
      </div>
    </div>
  );
}

/** Views of the tour that were passed over, as their place is gone; and the reason. */
function Skipped(): JSX.Element | null {
  const state = wall.value;
  if (!state?.skipped.length || !["tour", "paused"].includes(state.mode)) return null;
  if (state.skipped.length === state.stops.length) return <p class="wall-missing" role="status"><b>{say("wall.missing.all")}</b></p>;
  return <p class="wall-missing" role="status">{state.skipped.map((k) => { const stop = state.stops[k]; return stop && <span key={k}><b>{say("wall.skipped", { n: k + 1, name: named(stop) })}</b> {say("wall.missing.why", { node: stop.node })}</span>; })}</p>;
}
