/** Sparklines by hand (they are many), everything larger by ECharts. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { JSX } from "preact";
import type { EChartsCoreOption, EChartsType } from "echarts/core";
import { theme } from "../words";

/** The colour a token has now. */
export const token = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** ECharts is half a megabyte: it is fetched when the first chart is drawn. */
export function Chart({ option, label }: { option: () => EChartsCoreOption; label: string }): JSX.Element {
  const host = useRef<HTMLDivElement>(null), look = theme.value, [chart, setChart] = useState<EChartsType | null>(null);
  useEffect(() => {
    let isGone = false, made: EChartsType | null = null;
    const watch = new ResizeObserver(() => made?.resize());
    import("./echarts").then(({ init }) => {
      if (isGone) return;
      made = init(host.current!, undefined, { renderer: "canvas" });
      watch.observe(host.current!);
      setChart(made);
    }, (error: unknown) => console.warn(`charts could not be loaded: ${String(error)}`));
    return () => { isGone = true; watch.disconnect(); made?.dispose(); };
  }, []);
  useEffect(() => { chart?.setOption({ animation: false, textStyle: { fontFamily: token("--font") }, ...option() }, true); }, [chart, option, look]);
  return <div class="chart" ref={host} role="img" aria-label={label} />;
}

function pathOf(values: (number | null)[], low: number, high: number, w: number, h: number): string {
  let d = "", pen = false;
  values.forEach((v, k) => {
    if (v === null) { pen = false; return; }
    const x = (k / Math.max(1, values.length - 1)) * (w - 4), y = h - 3 - ((v - low) / (high - low || 1)) * (h - 6);
    d += `${pen ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
    pen = true;
  });
  return d;
}
export function Spark({ now, reference }: { now: (number | null)[]; reference: (number | null)[] }): JSX.Element | null {
  const all = [...now, ...reference].filter((v): v is number => v !== null);
  if (all.length < 2) return null;
  const low = Math.min(...all), high = Math.max(...all), w = 92, h = 34, last = now.findLastIndex((v) => v !== null);
  const x = (last / Math.max(1, now.length - 1)) * (w - 4), y = last < 0 ? 0 : h - 3 - ((now[last]! - low) / (high - low || 1)) * (h - 6);
  return (
    <svg class="spark" width={w} height={h} viewBox={`0 0 ${w} ${h}`} aria-hidden="true">
      <path class="ref" d={pathOf(reference, low, high, w, h)} /><path class="now" d={pathOf(now, low, high, w, h)} />
      {last >= 0 && <circle cx={x} cy={y} r="2.2" />}
    </svg>
  );
}
