/** What the pages know: fetched once, then kept by the socket. Signals change; components follow. */
import { batch, computed, signal } from "@preact/signals";
import type { CameraState, Device, TreeNode, World } from "../contract";
import { groundOf } from "../ground";
import { type Alarm, api, type Command, type Kpi, type Me, type Trail } from "./api";
import { dispatches, heardIncident, incidents } from "./incident/state";
import type { ReplayState, Servers, Texts } from "../wire";
import { forgetFloods, heardFloods } from "./alarms/groups";
import { heardWall } from "./wall_state";
import { hereNow, SharedClock } from "./shared_clock";
import { setZone } from "./parktime";
import { attach, heardReplay, isReplay, replayNow, resume } from "./replaying";
import { standStill } from "./newer";
import { Line, makeColumns, type Message } from "./live";

export const me = signal<Me | null>(null);
export const world = signal<World | null>(null);
export const loading = signal<{ what: string; done: number; total: number } | null>({ what: "load.sign", done: 0, total: 6 });
export const failure = signal<string | null>(null);
export const alarms = signal<Map<number, Alarm>>(new Map());
export const commands = signal<Map<string, Command>>(new Map());
export const trail = signal<Trail[]>([]);
/** What text points say, by the number their value is. */
export const texts = signal<Map<number, string>>(new Map());
export const kpis = signal<Map<string, Kpi[]>>(new Map());
export const line = signal<{ isUp: boolean; sinceMs: number }>({ isUp: false, sinceMs: performance.now() });
/** The servers of this park, where there are several: which this is, which one writes. */
export const servers = signal<Servers | null>(null);
export const links = signal<Map<string, { state: string; since_ms: number; text: string }>>(new Map());
/** Ticks: values (10 Hz at most, once a frame), seconds. Components that show live figures read one of them. */
export const valuesTick = signal(0);
export const seconds = signal(0);
export const place = signal("park");
export const device = signal<string | null>(null);
export const channel = signal<number | null>(1);
export const camera = signal<CameraState | null>(null);
export const overlayTick = signal(0);
export const sharedClock = new SharedClock();
export const serverNow = (): number => (isReplay ? replayNow() : sharedClock.now());
/** The compiled park the server serves now. */
export const servedBuild = signal("");
/** Asks the server for its time; what it says is heard in `sharedClock`. */
export const askTime = (): void => socket?.send({ t: "clock", asked: hereNow() });

const CLOSED = new Set(["cleared"]), ASIDE = new Set(["shelved", "suppressed", "out_of_service"]);
/** Whether an alarm is kept from calling anybody. */
export const isAside = (a: { state: string }): boolean => ASIDE.has(a.state);
export const activeAlarms = computed(() =>
  [...alarms.value.values()].filter((a) => !CLOSED.has(a.state)).sort((a, b) => a.priority - b.priority || b.raised_ms - a.raised_ms));
/** Those that call somebody, or wait for a word: put aside are left out. */
export const callingAlarms = computed(() => activeAlarms.value.filter((a) => !isAside(a)));
/** What a page draws on no storey stands on the ground at the middle of the park, metres. */
export const groundLevel = (): number => (world.value ? groundOf(world.value.park).middle : 0);
export const placeNode = computed<TreeNode | null>(() => world.value?.byId.get(place.value) ?? null);
export const chosenDevice = computed<Device | null>(() => (device.value && world.value?.deviceById.get(device.value)) || null);
/** From the park down to the place looked at. */
export const placePath = computed<TreeNode[]>(() => {
  const w = world.value, path: TreeNode[] = [];
  for (let node = placeNode.value; w && node; node = w.byIndex.get(node.parent) ?? null) path.unshift(node);
  return path.filter((n) => n.kind !== "zone");
});

type Listener = (slots: Uint32Array | null) => void;
const listeners = new Set<Listener>();
/** The scene follows values through here, not through signals. */
export const onLive = (listener: Listener): (() => void) => { listeners.add(listener); return () => listeners.delete(listener); };
let socket: Line | null = null;

async function step<T>(what: string, done: number, work: Promise<T>): Promise<T> {
  loading.value = { what, done, total: 6 };
  return work;
}

/** Fetches what a page needs and opens the line. Safe to call once. */
export async function start(): Promise<void> {
  readAddress();
  window.addEventListener("popstate", readAddress);
  window.setInterval(() => { seconds.value += 1; }, 1000);
  try {
    const asked = Promise.all([api.places(), api.devices(), api.rooms(), api.tracks()]);
    const happening: Promise<[Alarm[], Command[], Trail[]]> = isReplay ? Promise.resolve([[], [], []]) : Promise.all([api.alarms(), api.commands(), api.trail()]);
    for (const all of [asked, happening]) all.catch(() => undefined); // told below, when its turn comes
    me.value = await step("load.sign", 0, api.me());
    const park = await step("load.park", 1, api.park());
    setZone(park.timezone);
    const [places, catalogue, rooms, tracks] = await step("load.tree", 2, asked);
    const kinds = new Map(catalogue.kinds.map((k) => [k.id, k]));
    const slots = catalogue.devices.reduce((most, d) => Math.max(most, d.slot + (kinds.get(d.kind)?.points.length ?? 0)), 0);
    const nodes = catalogue.devices.reduce((most, d) => Math.max(most, d.i), places.highest) + 1;
    const live = makeColumns(slots, tracks.reduce((most, t) => Math.max(most, t.i + 1), 0));
    world.value = {
      park, places, byIndex: places.byIndex, byId: places.byId, rooms, kinds, devices: catalogue.devices,
      deviceById: new Map(catalogue.devices.map((d) => [d.id, d])), tracks, live,
    };
    if (!world.value.byId.has(place.value)) place.value = "park";
    const [now, orders, lines] = await step("load.alarms", 4, happening);
    batch(() => {
      alarms.value = new Map(now.map((a) => [a.id, a]));
      commands.value = new Map(orders.map((c) => [c.id, c]));
      trail.value = lines;
      loading.value = null;
    });
    socket = new Line(live, nodes, { message: hear, values: touched, positions: () => listeners.forEach((l) => l(null)), overlay, line: lineChanged });
    attach((ask) => socket?.send(ask));
    looking();
  } catch (error) {
    failure.value = error instanceof Error ? error.message : String(error);
    loading.value = null;
  }
}

let pending = false;
function touched(slots: Uint32Array): void {
  listeners.forEach((l) => l(slots));
  if (pending) return;
  pending = true;
  requestAnimationFrame(() => { pending = false; valuesTick.value += 1; });
}
function overlay(): void { overlayTick.value += 1; listeners.forEach((l) => l(null)); }
function lineChanged(isUp: boolean, sinceMs: number): void { line.value = { isUp, sinceMs }; }

function hear(message: Message): void {
  if (message.t === "hello") { sharedClock.hear(Number(message.server_time_ms), hereNow()); servedBuild.value = String(message.build); world.value?.live.trackSeenMs.fill(0); if (isNewer(servedBuild.value)) { leave(); return; } if (isReplay) resume(); }
  else if (message.t === "clock") sharedClock.hear(Number(message.server_time_ms), hereNow(), Number(message.asked));
  else if (message.t === "replay") { const r = message as unknown as ReplayState; if (r.is_reset) forget(); heardReplay(r); }
  else if (message.t === "alarm") { const a = message as unknown as Alarm; alarms.value = new Map(alarms.value).set(a.id, a); }
  else if (message.t === "command") { const c = message as unknown as Command; commands.value = new Map(commands.value).set(c.id, c); }
  else if (message.t === "texts") { const m = message as unknown as Texts, to = new Map(texts.value); m.codes.forEach((code, i) => to.set(code, m.texts[i]!)); texts.value = to; }
  else if (message.t === "trail") trail.value = [message as unknown as Trail, ...trail.value].slice(0, 400);
  else if (message.t === "kpis") kpis.value = new Map(kpis.value).set(String(message.node), message.cards as Kpi[]);
  else if (heardIncident(message) || heardWall(message) || heardFloods(message)) return;
  else if (message.t === "servers") servers.value = message as unknown as Servers;
  else if (message.t === "link") links.value = new Map(links.value).set(String(message.connector), message as never);
}

/** Another build is served than the page was made from: its node and slot numbers mean other things. */
const isNewer = (build: string): boolean => Boolean(world.value && build && world.value.park.build !== build);

/** Nothing more is heard: what the new build says would be read by the old one's numbers. */
function leave(): void {
  socket?.close();
  line.value = { isUp: false, sinceMs: performance.now() };
  standStill();
}

/** Before another moment of the past is sent whole: nothing of the former one stays. */
function forget(): void {
  const live = world.value?.live;
  live?.quality.fill(4); live?.value.fill(NaN); live?.trackSeenMs.fill(0); live?.trackXyz.fill(0);
  live?.overlay.forEach((column) => column.fill(NaN));
  batch(() => { alarms.value = new Map(); commands.value = new Map(); trail.value = []; forgetFloods(); incidents.value = new Map(); dispatches.value = new Map(); });
}
function looking(): void { socket?.setLook(place.value, channel.value ? [channel.value] : []); }

/** Goes somewhere: URL, breadcrumb, scene and KPI scope all follow `place`. */
export function goTo(id: string, options: { device?: string | null; replace?: boolean } = {}): void {
  const w = world.value;
  if (w && !w.deviceById.has(id) && !w.byId.has(id)) id = w.byIndex.get([...alarms.value.values()].find((a) => a.device === id)?.node ?? 0)?.id ?? "park";
  const found = w?.deviceById.get(id);
  batch(() => {
    if (found) { device.value = id; place.value = holderOf(found); }
    else { place.value = id; device.value = options.device ?? null; }
  });
  writeAddress(options.replace ?? false);
  looking();
}
export function choose(id: string | null): void { device.value = id; writeAddress(true); }
export function paint(to: number | null, isInAddress = true): void { channel.value = to; if (isInAddress) writeAddress(true); looking(); }
/** Up one level; false at the top. */
export function goUp(): boolean {
  if (device.value) { choose(null); return true; }
  const path = placePath.value;
  if (path.length < 2) return false;
  goTo(path[path.length - 2].id);
  return true;
}
/** The nearest place in the tree that holds a device. */
export function holderOf(d: Device): string {
  const w = world.value;
  let node = w?.byIndex.get(d.parent) ?? null;
  while (w && node && !["space", "storey", "building", "park"].includes(node.kind)) node = w.byIndex.get(node.parent) ?? null;
  return node?.id ?? "park";
}

function readAddress(): void {
  const query = new URLSearchParams(location.search), painted = query.get("channel");
  batch(() => {
    place.value = query.get("at") ?? "park";
    device.value = query.get("device");
    channel.value = painted === "none" ? null : Number(painted) || 1;
  });
  looking();
}
function writeAddress(isReplacing: boolean): void {
  const query = new URLSearchParams(location.search);
  const set = (key: string, value: string | null) => (value ? query.set(key, value) : query.delete(key));
  set("at", place.value === "park" ? null : place.value);
  set("device", device.value);
  set("channel", channel.value === 1 ? null : channel.value === null ? "none" : String(channel.value));
  const to = `${location.pathname}${query.size ? `?${query}` : ""}`;
  if (to === location.pathname + location.search) return;
  if (isReplacing) history.replaceState(null, "", to); else history.pushState(null, "", to);
}

/** One point's present state; null where it never spoke. */
export function reading(d: Device, key: string): { value: number; quality: number; ageMs: number; unit: string; states: string[] } | null {
  const w = world.value, kind = w?.kinds.get(d.kind), at = kind?.points.findIndex((p) => p.key === key) ?? -1;
  if (!w || !kind || at < 0) return null;
  const slot = d.slot + at, live = w.live;
  if (live.quality[slot] === 4) return null;
  return { value: live.value[slot], quality: live.quality[slot], ageMs: live.ageMs[slot] + performance.now() - live.receivedMs[slot], unit: kind.points[at].unit, states: kind.points[at].states };
}
