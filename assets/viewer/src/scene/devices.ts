/** Devices as signs: counted pills by building from afar, discs with a status ring on the storey one has opened. */
import { Vector3 } from "three";
import type { AlarmMark, Device, DeviceKind, Lang, Theme, World } from "../contract";
import { display } from "./look";
import { paletteOf } from "./palette";
import type { Focus, Scope } from "./scope";
import {
  BOLD_FONT, discPainter, DISC, labelPainter, LABEL_FONT, LABEL_HEIGHT, pillPainter, PILL_HEIGHT, pillWidth, type Status,
} from "./signs";
import type { Sprite, SpriteBatch } from "./sprites";
import type { StrokeBatch } from "./strokes";

const STEM_METRES = 1.5;
/** Nearer than this, devices in the open stand one by one; from further they are counted. */
const OUTDOOR_METRES_PER_PIXEL = 0.13;
const BAD = 2, STALE = 3, NEVER = 4;

/** What the ring of a device says, from its live columns. */
export function statusOf(device: Device, kind: DeviceKind, world: World, isLineStale: boolean): Status {
  if (isLineStale) return "stale";
  const { quality, value } = world.live;
  let worst = 0, known = 0;
  for (let k = 0; k < kind.points.length; k++) {
    const q = quality[device.slot + k] ?? NEVER;
    if (q !== NEVER) known++;
    if (q === BAD || q === STALE) worst = Math.max(worst, q);
  }
  if (!known) return "stale";
  if (worst === STALE) return "stale";
  if (worst === BAD) return "bad";
  const at = kind.points.findIndex((p) => p.states.length > 0);
  if (at < 0) return "standby";
  const word = kind.points[at]!.states[value[device.slot + at]!] ?? "";
  if (/^(off|offline|silent|disarmed)$/.test(word)) return "off";
  if (/^(run|on|online|open|opening|closing|charging|generating|up|down|music|speech|low|medium|high)$/.test(word)) return "run";
  return "standby";
}

/** The first measured point of a kind: what a device shows beside its name. */
function headline(device: Device, kind: DeviceKind, world: World): string {
  const at = kind.points.findIndex((p) => p.unit && !p.states.length);
  if (at < 0) return "";
  const value = world.live.value[device.slot + at];
  if (value === undefined || !Number.isFinite(value)) return "—";
  const digits = Math.abs(value) >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${kind.points[at]!.unit}`;
}

/** Devices counted as one sign: over their building, or over where they stand. */
interface Group { members: Device[]; at: Vector3; head: Vector3; symbol: string; pick: { kind: "node" | "device"; id: string } }

export class DeviceSigns {
  isOn = true;
  readonly hidden = new Set<string>();
  selected: string | null = null;
  hovered: string | null = null;
  private sortedFor = "";
  private single: Device[] = [];
  private groups: Group[] = [];
  private readonly placeOf = new Map<string, { building: string | null; storey: number }>();

  constructor(private readonly world: World, private readonly scope: Scope, private readonly batch: SpriteBatch) {
    for (const device of world.devices) {
      const inside = scope.storeyOf(device.parent);
      this.placeOf.set(device.id, { building: inside?.[0].id ?? scope.buildingOf(device.parent)?.id ?? null, storey: inside?.[1].node ?? 0 });
    }
  }

  build(focus: Focus, alarms: AlarmMark[], theme: Theme, lang: Lang, isStale: boolean, metresPerPixel: number,
    sprites: Sprite[], strokes: StrokeBatch, dpr: number): void {
    const isOpen = focus.level === "storey" || focus.level === "space";
    const isNear = !isOpen && metresPerPixel < OUTDOOR_METRES_PER_PIXEL;
    const key = [this.isOn, focus.level, isOpen ? focus.storey.node : 0, isNear, this.selected, ...this.hidden].join(" ");
    if (key !== this.sortedFor) { this.sortedFor = key; this.sort(isOpen ? focus.storey.node : 0, isNear); }
    for (const device of this.single) this.disc(device, theme, lang, isStale, metresPerPixel, sprites, strokes, dpr);
    const worst = new Map<string, number>();
    for (const alarm of alarms) worst.set(alarm.device, Math.min(worst.get(alarm.device) ?? 9, alarm.priority));
    for (const group of this.groups) this.pill(group, worst, theme, sprites, strokes, dpr);
  }

  /** Which devices stand one by one and which are counted: by building, and in the open by squares of 110 m. */
  private sort(storey: number, isNear: boolean): void {
    const groups = new Map<string, Device[]>();
    this.single = [];
    for (const device of this.world.devices) {
      if ((!this.isOn && device.id !== this.selected) || this.hidden.has(device.kind)) continue;
      const place = this.placeOf.get(device.id)!;
      const isSingle = device.id === this.selected || (storey ? place.storey === storey : isNear && !place.building);
      if (isSingle) this.single.push(device);
      else if (!storey) {
        const key = place.building ?? `@${Math.round(device.pos[0] / 110)},${Math.round(device.pos[1] / 110)}`;
        const members = groups.get(key);
        if (members) members.push(device); else groups.set(key, [device]);
      }
    }
    this.groups = [...groups].map(([key, members]) => this.group(key, members));
  }

  private group(key: string, members: Device[]): Group {
    const counts = new Map<string, number>();
    const at = new Vector3();
    for (const device of members) {
      counts.set(device.kind, (counts.get(device.kind) ?? 0) + 1);
      at.add(new Vector3(...device.pos));
    }
    at.divideScalar(members.length);
    const building = this.scope.buildings.get(key);
    if (building) at.set((building.bbox[0]! + building.bbox[3]!) / 2, (building.bbox[1]! + building.bbox[4]!) / 2, building.bbox[5]!);
    const major = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0]![0];
    return { members, at, head: at.clone().add(new Vector3(0, 0, 5)), symbol: this.world.kinds.get(major)?.symbol ?? "node",
      pick: building ? { kind: "node", id: building.id } : { kind: "device", id: members[0]!.id } };
  }

  private disc(device: Device, theme: Theme, lang: Lang, isStale: boolean, metresPerPixel: number, sprites: Sprite[], strokes: StrokeBatch, dpr: number): void {
    const kind = this.world.kinds.get(device.kind);
    if (!kind) return;
    const palette = paletteOf(theme);
    const status = statusOf(device, kind, this.world, isStale);
    const isSelected = device.id === this.selected;
    const foot = new Vector3(...device.pos), head = foot.clone().add(new Vector3(0, 0, STEM_METRES));
    strokes.line(foot, head, { colour: display(isSelected ? palette.accent : palette.text2), alpha: 0.8, width: 1.4, behind: 0.6 }, dpr);
    sprites.push({
      key: `d:${kind.symbol}:${status}:${isSelected}`, width: DISC, height: DISC, at: head, dx: 0, dy: 10, alpha: 1, behind: 1,
      paint: discPainter(kind.symbol, status, isSelected, palette), pick: { kind: "device", id: device.id }, rank: isSelected ? 2 : 6, isLabel: false,
    });
    if (!isSelected && this.hovered !== device.id && metresPerPixel > 0.035) return;
    const name = (lang === "zh" ? device.name_zh : device.name) || device.id;
    const value = isStale ? "" : headline(device, kind, this.world);
    const nameWidth = this.batch.measure(name, value ? LABEL_FONT : BOLD_FONT);
    const width = Math.ceil(nameWidth + (value ? this.batch.measure(value, BOLD_FONT) + 6 : 0) + 18);
    sprites.push({
      key: `dl:${name}:${value}:${isSelected}`, width, height: LABEL_HEIGHT, at: head, dx: width / 2 + 18, dy: 10, alpha: 1, behind: 1,
      paint: labelPainter(name, value, nameWidth, width, palette), pick: { kind: "device", id: device.id }, rank: isSelected ? 1.5 : 4, isLabel: true,
    });
  }

  private pill({ members, at, head, symbol, pick }: Group, alarmed: Map<string, number>, theme: Theme, sprites: Sprite[], strokes: StrokeBatch, dpr: number): void {
    const palette = paletteOf(theme);
    let worst = 0;
    if (alarmed.size) for (const { id } of members) { const p = alarmed.get(id); if (p && (!worst || p < worst)) worst = p; }
    const width = pillWidth(members.length);
    strokes.line(at, head, { colour: display(palette.line3), alpha: 0.9, width: 1.2, behind: 0.5 }, dpr);
    sprites.push({
      key: `p:${symbol}:${members.length}:${worst}`, width, height: PILL_HEIGHT, at: head, dx: 0, dy: 14, alpha: 1, behind: 1,
      paint: pillPainter({ symbol, count: members.length, worst }, width, palette), pick, rank: worst ? 3 : 5, isLabel: true,
    });
  }
}
