/** The socket: binary frames into columns, JSON messages to listeners; comes back by itself, and says when it is gone. */
import type { LiveColumns } from "../contract";
import { door } from "./come_back";
import { isReplay } from "./replaying";

const MAGIC = 0x5054, HEADER = 24;
export const FRAME = { VALUES: 1, POSITIONS: 2, OVERLAY: 3 } as const;
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
  if (buffer.byteLength < HEADER) return null;
  const head = new DataView(buffer);
  if (head.getUint16(0, true) !== MAGIC || head.getUint8(2) !== 1) return null;
  const kind = head.getUint8(3), n = head.getUint32(4, true), extra = head.getUint32(12, true), serverMs = head.getFloat64(16, true);
  if (kind === FRAME.VALUES) {
    const value = new Float64Array(buffer, HEADER, n), slots = new Uint32Array(buffer, HEADER + 8 * n, n);
    const age = new Uint32Array(buffer, HEADER + 12 * n, n), quality = new Uint8Array(buffer, HEADER + 16 * n, n);
    for (let k = 0; k < n; k++) { const s = slots[k]; live.value[s] = value[k]; live.quality[s] = quality[k]; live.ageMs[s] = age[k]; live.receivedMs[s] = nowMs; }
    return { kind, slots, serverMs };
  }
  if (kind === FRAME.POSITIONS) {
    const xyz = new Float32Array(buffer, HEADER, 3 * n), track = new Uint32Array(buffer, HEADER + 12 * n, n);
    const heading = new Float32Array(buffer, HEADER + 16 * n, n), node = new Uint32Array(buffer, HEADER + 20 * n, n), flags = new Uint8Array(buffer, HEADER + 24 * n, n);
    for (let k = 0; k < n; k++) {
      const i = track[k];
      live.trackXyz[3 * i] = xyz[3 * k]; live.trackXyz[3 * i + 1] = xyz[3 * k + 1]; live.trackXyz[3 * i + 2] = xyz[3 * k + 2];
      live.trackHeading[i] = heading[k]; live.trackNode[i] = node[k]; live.trackFlags[i] = flags[k]; live.trackSeenMs[i] = nowMs;
    }
    live.fixesMs = serverMs;
    return { kind, serverMs };
  }
  if (kind === FRAME.OVERLAY) {
    const value = new Float32Array(buffer, HEADER, n), node = new Uint32Array(buffer, HEADER + 4 * n, n);
    const column = live.overlay.get(extra) ?? new Float32Array(nodes).fill(NaN);
    column.fill(NaN);
    for (let k = 0; k < n; k++) column[node[k]] = value[k];
    live.overlay.set(extra, column);
    return { kind, channel: extra, serverMs };
  }
  return null;
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
    if (change.kind === FRAME.VALUES) this.on.values(change.slots!);
    else if (change.kind === FRAME.POSITIONS) this.on.positions();
    else this.on.overlay(change.channel!);
  }

  private check(): void {
    const now = performance.now();
    if (this.isUp && now - this.heardMs > LINE_LOST_MS) { this.isUp = false; this.on.line(false, this.heardMs); }
    if (this.socket?.readyState === WebSocket.OPEN && now - this.heardMs > 8000) { this.heardMs = now; this.socket.close(); }
  }

  close(): void { this.isClosed = true; window.clearInterval(this.watch); this.socket?.close(); }
}
