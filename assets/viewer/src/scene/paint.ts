/** Overlay values → colours of nodes in the state texture, and the flags a selection sets. */
import type { Ramp, World } from "../contract";
import { HATCH, HIGHLIGHT, OVERRIDE } from "./shaders";
import type { Scope } from "./scope";
import { wordOf, type StateTexture } from "./state";

function rgb(css: string): [number, number, number] {
  const hex = css.trim().replace("#", "");
  const full = hex.length === 3 ? [...hex].map((c) => c + c).join("") : hex;
  const n = Number.parseInt(full.slice(0, 6), 16);
  return Number.isNaN(n) ? [128, 128, 128] : [(n >> 16) & 255, (n >> 8) & 255, n & 255];
}

/** The values at which a ramp goes from one cell to the next, one fewer than its colours. */
function edgesOf({ breaks, colours }: Ramp): number[] {
  const first = breaks.length > colours.length ? 1 : 0;
  return breaks.slice(first, first + colours.length - 1);
}

/** Index of the ramp cell a value falls in; breaks are the cells' edges, one more than there are colours. */
export function cellOf(ramp: Ramp, value: number): number {
  const edges = edgesOf(ramp);
  let cell = 0;
  while (cell < edges.length && value >= edges[cell]!) cell++;
  return cell;
}

export class Painter {
  channel: number | null = null;
  ramp: Ramp | null = null;
  lastMs = 0;
  private colours: [number, number, number][] = [];
  private words: number[] = [];
  private readonly painted: Uint8Array;
  private highlighted = 0;

  constructor(private readonly world: World, private readonly scope: Scope, private readonly state: StateTexture) {
    this.painted = new Uint8Array(state.bytes.length / 4);
  }

  setOverlay(channel: number | null, ramp: Ramp | null): void {
    this.channel = ramp ? channel : null;
    this.ramp = ramp;
    this.colours = ramp ? ramp.colours.map(rgb) : [];
    this.words = this.colours.map(([r, g, b]) => wordOf(r, g, b) | (OVERRIDE << 24));
    this.repaint();
  }

  /** The value painted on a node, NaN when there is none. */
  value(node: number): number {
    if (this.channel === null) return Number.NaN;
    return this.world.live.overlay.get(this.channel)?.[node] ?? Number.NaN;
  }

  /** Ink and halo that read on a node's painted colour. */
  inkOf(node: number, isDark: boolean): [string, string] {
    const value = this.value(node);
    if (!this.ramp || Number.isNaN(value)) return isDark ? ["#eaf0f8", "rgba(16,25,41,.8)"] : ["#18202b", "rgba(255,255,255,.8)"];
    const [r, g, b] = this.colours[cellOf(this.ramp, value)]!;
    return r * 0.299 + g * 0.587 + b * 0.114 > 140 ? ["#18202b", `rgba(${r},${g},${b},.9)`] : ["#ffffff", `rgba(${r},${g},${b},.9)`];
  }

  /** Brings every painted node up to date; answers whether any colour changed. `lastMs` is what it took. */
  repaint(): boolean {
    const since = performance.now();
    let hasChanged = false;
    const { state, ramp } = this;
    const values = this.channel === null ? undefined : this.world.live.overlay.get(this.channel);
    if (!ramp || !values) {
      for (let node = 1; node < this.painted.length; node++) {
        if (this.painted[node]) hasChanged = state.set(node, 0, 0, 0, this.keep(node)) || hasChanged;
      }
      if (ramp) for (const node of this.world.rooms.indices) hasChanged = this.hatch(node) || hasChanged;
      else this.painted.fill(0);
    } else {
      hasChanged = state.paint(values, edgesOf(ramp), this.words, ~(OVERRIDE | HATCH) & 255, this.painted);
      for (const node of this.world.rooms.indices) {
        if (!(values[node]! === values[node]!)) hasChanged = this.hatch(node) || hasChanged;
      }
    }
    this.lastMs = performance.now() - since;
    return hasChanged;
  }

  private keep(node: number): number {
    return this.state.flagsOf(node) & ~(OVERRIDE | HATCH);
  }

  private hatch(node: number): boolean {
    this.painted[node] = 1;
    return this.state.set(node, 0, 0, 0, this.keep(node) | HATCH);
  }

  highlight(node: number): boolean {
    if (node === this.highlighted) return false;
    if (this.highlighted) this.state.setFlag(this.highlighted, HIGHLIGHT, false);
    this.highlighted = node;
    if (node) this.state.setFlag(node, HIGHLIGHT, true);
    return true;
  }
}
