/** `/`: how the park is doing, drilled to the room, what is wrong and why. */
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { AlarmPanel } from "./parts/alarms";
import { DeviceCard } from "./parts/device";
import { Icon } from "./parts/icons";
import { PageLinks } from "./parts/pages";
import { KpiColumn } from "./parts/kpis";
import { LoadChart } from "./parts/load";
import { isPictured, LayerPanel, SceneHost } from "./parts/scene";
import { Timeline } from "./parts/timeline";
import { LineBanner, TopBar } from "./parts/topbar";
import { SpatialDock } from "./spatial/dock";
import { activeAlarms, me, paint, world } from "./store";
import { PriorityMark } from "./parts/icons";
import { useKept } from "./newer";
import { lang, say } from "./words";
import { prepare } from "../scene";

prepare();

/** A subject shows the device kinds of its packs and paints its channel. */
const SUBJECTS: { key: string; packs: string[] | null; paints: number | null }[] = [
  { key: "overview", packs: null, paints: 1 }, { key: "security", packs: ["security", "access"], paints: null }, { key: "energy", packs: ["energy", "lighting", "charging", "hvac"], paints: 1 },
  { key: "facilities", packs: ["hvac", "lifts", "water", "fire", "lighting", "parking"], paints: null }, { key: "environment", packs: ["environment"], paints: 2 }, { key: "access", packs: ["access", "parking"], paints: 4 }, { key: "emergency", packs: ["fire", "security", "communication"], paints: null },
];
/** Layers that are off until somebody switches them on. */
const quiet = (): string[] => ["pipes", ...(world.value?.park.backgrounds ?? []).filter((b) => b.shown === false).map((b) => `background:${b.id}`)];

export function Operations(): JSX.Element {
  void lang.value;
  const [subject, setSubject] = useKept("subject", "overview"), [hidden, setHidden] = useKept("layers", quiet), off = useMemo(() => new Set(hidden), [hidden]), setOff = (to: Set<string>) => setHidden([...to]);
  const enter = (key: string) => {
    const s = SUBJECTS.find((x) => x.key === key)!;
    setSubject(key); paint(s.paints);
    setOff(new Set([...quiet(), ...(s.packs ? [...(world.value?.kinds.values() ?? [])].filter((k) => !s.packs!.includes(k.pack)).map((k) => k.id) : [])]));
  };
  const worst = (packs: string[] | null) => activeAlarms.value.find((a) => a.state === "unacknowledged" && packs?.includes(world.value?.kinds.get(world.value.deviceById.get(a.device)?.kind ?? "")?.pack ?? ""))?.priority;
  const toggle = (layer: string) => { const next = new Set(off); if (!next.delete(layer)) next.add(layer); setOff(next); };
  const isDrawn = isPictured.value;
  return (
    <div class="page operations">
      <TopBar page="operations" /><LineBanner />
      <nav class="rail" aria-label={say("subjects")}>
        {SUBJECTS.map((s) => { const p = worst(s.packs); return <button key={s.key} aria-pressed={subject === s.key} onClick={() => enter(s.key)}><Icon name={s.key} size={22} />{p && <PriorityMark priority={p} size={15} />}<span>{say(`subject.${s.key}`)}</span></button>; })}
        <PageLinks here="operations" without="operations" />
      </nav>
      <aside class="left">{isDrawn && <KpiColumn />}</aside>
      <main><SceneHost layersOff={off} />{isDrawn && <><LayerPanel off={off} onToggle={toggle} /><SpatialDock subject={subject} /></>}</main>
      <aside class="right">{isDrawn && <><AlarmPanel /><LoadChart /><DeviceCard /></>}</aside>
      {isDrawn && <Timeline />}
    </div>
  );
}
