/** The bar over the scene that opens the spatial panels, and the one that is open. */
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { lang, say } from "../words";
import { CoveragePanel } from "./coverage";
import { FencesPanel } from "./fences";
import { HoursPanel } from "./hours";
import { MetersPanel } from "./meters";
import { TrailPanel } from "./trail";
import { open, panel, type PanelKey } from "./state";

const PANELS: { key: PanelKey; subject: string; draw: () => JSX.Element }[] = [
  { key: "hours", subject: "energy", draw: () => <HoursPanel /> },
  { key: "meters", subject: "meters", draw: () => <MetersPanel /> },
  { key: "trail", subject: "access", draw: () => <TrailPanel /> },
  { key: "fences", subject: "security", draw: () => <FencesPanel /> },
  { key: "coverage", subject: "facilities", draw: () => <CoveragePanel /> },
];

export function SpatialDock({ subject }: { subject: string }): JSX.Element {
  void lang.value;
  const here = PANELS.find((p) => p.key === panel.value);
  useEffect(() => {
    const wanted = PANELS.find((p) => p.subject === subject);
    if (wanted && subject !== "overview") open(wanted.key);
  }, [subject]);
  return (
    <div class="dock">
      <div class="dock-bar pair" role="group" aria-label={say("spatial")}>{PANELS.map((p) => <button key={p.key} aria-pressed={panel.value === p.key} onClick={() => open(panel.value === p.key ? null : p.key)}>{say(`spatial.${p.key}`)}</button>)}</div>
      {here && <section class="dock-panel" aria-label={say(`spatial.${here.key}`)}>
        <header><h2>{say(`spatial.${here.key}`)}</h2><button class="quiet" aria-label={say("spatial.close")} onClick={() => open(null)}>✕</button></header>{here.draw()}</section>}
    </div>
  );
}
