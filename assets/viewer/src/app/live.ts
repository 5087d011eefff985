/** The socket: binary frames into columns, JSON messages to listeners; comes back by itself, and says when it is gone. */
import type { LiveColumns } from "../contract";
import { FrameKind, decodeFrame } from "../wire";
import { door } from "./come_back";
import { isReplay } from "./replaying";

export type Message = { t: string } & Record<string, unknown>;

export interface LiveEvents {
  message(message: Message): void;
  values(slots: Uint32Array): void;
  positions(): void;
  overlay(channel: number): void;
  line(isUp: boolean, sinceMs: number): void;
}

export function makeColumns(slots: number, tracks: number): LiveColumns {
  return {
    value: new Float64Array(slots).fill(NaN), quality: new Uint8Array(slots).fill(4), ageMs: new Uint32Array(slots), receivedMs: new Float64Array(slots),
    trackXyz: new Float32Array(tracks * 3), trackHeading: new Float32Array(tracks), trackNode: new Uint32Array(tracks), trackSeenMs: new Float64Array(tracks),
    trackFlags: new Uint8Array(tracks), overlay: new Map(), fixesMs: 0,
  };
}

/** Writes one binary frame into the columns; returns what changed, or null for bytes that are not ours. */
export function readFrame(buffer: ArrayBuffer, live: LiveColumns, nodes: number, nowMs: number): { kind: number; slots?: Uint32Array; channel?: number; serverMs: number } | null {
  const frame = decodeFrame(buffer);
  if (frame === null) return null;
  const { kind, n, timeMs: serverMs } = frame;
  if (kind === FrameKind.VALUES) {
    const { value, slot, age_ms, quality } = frame;
    for (let k = 0; k < n; k++) { const s = slot[k]; live.value[s] = value[k]; live.quality[s] = quality[k]; live.ageMs[s] = age_ms[k]; live.receivedMs[s] = nowMs; }
    return { kind, slots: slot, serverMs };
  }
  if (kind === FrameKind.POSITIONS) {
    const { xyz, track, heading, node, flags } = frame;
    for (let k = 0; k < n; k++) {
      const i = track[k];
      live.trackXyz[3 * i] = xyz[3 * k]; live.trackXyz[3 * i + 1] = xyz[3 * k + 1]; live.trackXyz[3 * i + 2] = xyz[3 * k + 2];
      live.trackHeading[i] = heading[k]; live.trackNode[i] = node[k]; live.trackFlags[i] = flags[k];
      live.trackSeenMs[i] = Number.isNaN(xyz[3 * k]) ? 0 : nowMs;
    }
    live.fixesMs = serverMs;
    return { kind, serverMs };
  }
  const { value, node } = frame;
  const column = live.overlay.get(frame.extra) ?? new Float32Array(nodes);
  column.fill(NaN);
  for (let k = 0; k < node.length; k++) column[node[k]] = value[k];
  live.overlay.set(frame.extra, column);
  return { kind, channel: frame.extra, serverMs };
}

const LINE_LOST_MS = 2500;

export class Line {
  private socket: WebSocket | null = null;
  private heardMs = performance.now();
  private isUp = false;
  private tries = 0;
  private look = { node: "park", channels: [] as number[] };
  private watch = 0;
  private isClosed = false;

  constructor(private readonly live: LiveColumns, private readonly nodes: number, private readonly on: LiveEvents) {
    this.open();
    this.watch = window.setInterval(() => this.check(), 500);
  }

  /** Tells the server what is being looked at. */
  setLook(node: string, channels: number[]): void {
    this.look = { node, channels };
    this.tell();
  }

  private tell(): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ t: "look", ...this.look }));
  }

  /** Anything else a page asks of its socket. */
  send(message: object): void { if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message)); }

  private open(): void {
    const address = new URL(isReplay ? "/live/replay" : "/live", location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(address);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onopen = () => { this.tries = 0; this.tell(); };
    socket.onmessage = (event) => this.hear(event.data);
    socket.onclose = (event) => {
      if (this.isClosed || this.socket !== socket) return;
      this.socket = null;
      if (event.code === 4401) { location.assign(door()); return; }
      window.setTimeout(() => this.open(), Math.min(5000, 400 * 1.7 ** this.tries++) * (0.75 + Math.random() / 2));
    };
  }

  private hear(data: string | ArrayBuffer): void {
    this.heardMs = performance.now();
    if (!this.isUp) { this.isUp = true; this.on.line(true, this.heardMs); }
    if (typeof data === "string") { this.on.message(JSON.parse(data)); return; }
    const change = readFrame(data, this.live, this.nodes, this.heardMs);
    if (!change) return;
    if (change.kind === FrameKind.VALUES) this.on.values(change.slots!);
    else if (change.kind === FrameKind.POSITIONS) this.on.positions();
    else this.on.overlay(change.channel!);
  }

  private check(): void {
    const now = performance.now();
    if (this.isUp && now - this.heardMs > LINE_LOST_MS) { this.isUp = false; this.on.line(false, this.heardMs); }
    if (this.socket?.readyState === WebSocket.OPEN && now - this.heardMs > 8000) { this.heardMs = now; this.socket.close(); }
  }

  close(): void { this.isClosed = true; window.clearInterval(this.watch); this.socket?.close(); }
}
