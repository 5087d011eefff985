/** Every place of a park and the outlines of its rooms, as columns: what is asked for becomes an object, once; all else stays numbers. */
import type { Lookup, Places, Rooms, Space, TreeNode } from "./contract";

/** Text of which much is the same: each once, and which of them every row has. */
interface Words { words: string[]; at: number[] }
/** As `/api/v1/tree?form=columns` sends them, ascending in `i`; three numbers a row in `anchor`, six in `bbox`. */
export interface NodeColumns {
  i: number[]; id: string[]; parent: number[]; kind: Words; name: Words; name_zh: Words; tile: Words;
  anchor: number[]; bbox: number[]; z: (number | null)[]; h: (number | null)[]; area: (number | null)[];
}
/** As `/api/v1/spaces?form=columns` sends them: a ring's numbers (x, y, x, y, …) lie in `xy` from `ring[k]` up to `ring[k + 1]`. */
export interface RoomColumns { i: number[]; parent: number[]; z0: number[]; z1: number[]; ring: number[]; xy: number[] }

interface Coded { words: string[]; at: Uint32Array }
const coded = (c: Words): Coded => ({ words: c.words, at: Uint32Array.from(c.at) });
/** null becomes NaN. */
const numbers = (c: (number | null)[]): Float64Array => Float64Array.from(c, (v) => v ?? Number.NaN);
const orNull = (v: number): number | null => (Number.isNaN(v) ? null : v);

export class NodeTable implements Places {
  readonly highest: number;
  readonly byIndex: Lookup<number> = { get: (i) => this.at(this.rowOf(i)), has: (i) => this.rowOf(i) >= 0 };
  readonly byId: Lookup<string> = { get: (id) => this.at(this.rowById.get(id) ?? -1), has: (id) => this.rowById.has(id) };
  private readonly i: Uint32Array;
  private readonly id: string[];
  private readonly rowById = new Map<string, number>();
  /** row of the parent, -1 where it is none of these */
  private readonly up: Int32Array;
  /** rows under a row: `below` from `first[row]` up to `first[row + 1]`, in their order */
  private readonly first: Uint32Array;
  private readonly below: Uint32Array;
  private readonly parent: Uint32Array;
  private readonly kind: Coded;
  private readonly name: Coded;
  private readonly nameZh: Coded;
  private readonly tile: Coded;
  private readonly anchor: Float64Array;
  private readonly bbox: Float64Array;
  private readonly rest: Record<"z" | "h" | "area", Float64Array>;
  private readonly made = new Map<number, TreeNode>();

  constructor(columns: NodeColumns) {
    this.i = Uint32Array.from(columns.i);
    this.id = columns.id;
    this.id.forEach((id, row) => this.rowById.set(id, row));
    this.parent = Uint32Array.from(columns.parent);
    [this.kind, this.name, this.nameZh, this.tile] = [coded(columns.kind), coded(columns.name), coded(columns.name_zh), coded(columns.tile)];
    this.anchor = Float64Array.from(columns.anchor);
    this.bbox = Float64Array.from(columns.bbox);
    this.rest = { z: numbers(columns.z), h: numbers(columns.h), area: numbers(columns.area) };
    this.highest = this.i.at(-1) ?? 0;
    this.up = Int32Array.from(this.parent, (p) => this.rowOf(p));
    this.first = new Uint32Array(this.i.length + 1);
    for (const up of this.up) if (up >= 0) this.first[up + 1]!++;
    for (let row = 0; row < this.i.length; row++) this.first[row + 1]! += this.first[row]!;
    this.below = new Uint32Array(this.first.at(-1) ?? 0);
    const next = this.first.slice();
    this.up.forEach((up, row) => { if (up >= 0) this.below[next[up]!++] = row; });
  }

  children(of: number, kind: string): TreeNode[] {
    const row = this.rowOf(of);
    return row < 0 ? [] : this.pick(Array.from(this.below.subarray(this.first[row], this.first[row + 1])), kind);
  }

  under(of: number, kind: string): TreeNode[] {
    const rows: number[] = [this.rowOf(of)].filter((row) => row >= 0);
    for (let k = 0; k < rows.length; k++) for (let at = this.first[rows[k]!]!; at < this.first[rows[k]! + 1]!; at++) rows.push(this.below[at]!);
    return this.pick(rows.sort((a, b) => a - b), kind);
  }

  ofKind(kind: string): TreeNode[] { return this.pick([...this.up.keys()], kind); }

  parentOf(i: number): number {
    const row = this.rowOf(i);
    return row < 0 ? 0 : this.parent[row]!;
  }

  private pick(rows: number[], kind: string): TreeNode[] {
    const wanted = this.kind.words.indexOf(kind);
    return rows.filter((row) => this.kind.at[row] === wanted).map((row) => this.at(row)!);
  }

  private rowOf(i: number): number {
    let low = 0, high = this.i.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1, found = this.i[middle]!;
      if (found === i) return middle;
      if (found < i) low = middle + 1; else high = middle - 1;
    }
    return -1;
  }

  private at(row: number): TreeNode | undefined {
    if (row < 0) return undefined;
    let node = this.made.get(row);
    if (!node) {
      const text = (column: Coded): string => column.words[column.at[row]!]!, span = (column: Float64Array, n: number): number[] => Array.from(column.subarray(row * n, row * n + n));
      node = {
        i: this.i[row]!, id: this.id[row]!, parent: this.parent[row]!, kind: text(this.kind), name: text(this.name), name_zh: text(this.nameZh), tile: text(this.tile),
        anchor: span(this.anchor, 3) as TreeNode["anchor"], bbox: span(this.bbox, 6) as TreeNode["bbox"],
        z: orNull(this.rest.z[row]!), h: orNull(this.rest.h[row]!), area: orNull(this.rest.area[row]!),
      };
      this.made.set(row, node);
    }
    return node;
  }
}

export class RoomTable implements Rooms {
  readonly indices: Uint32Array;
  private readonly rowByIndex = new Map<number, number>();
  private readonly rowsByParent = new Map<number, number[]>();
  private readonly numbers: Record<"parent" | "ring", Uint32Array> & Record<"z0" | "z1" | "xy", Float64Array>;
  private readonly made = new Map<number, Space>();

  constructor(columns: RoomColumns) {
    const whole = (c: number[]): Uint32Array => Uint32Array.from(c), real = (c: number[]): Float64Array => Float64Array.from(c);
    this.indices = whole(columns.i);
    this.numbers = { parent: whole(columns.parent), ring: whole(columns.ring), z0: real(columns.z0), z1: real(columns.z1), xy: real(columns.xy) };
    this.indices.forEach((i, row) => {
      this.rowByIndex.set(i, row);
      const parent = this.numbers.parent[row]!, rows = this.rowsByParent.get(parent);
      if (rows) rows.push(row); else this.rowsByParent.set(parent, [row]);
    });
  }

  get(i: number): Space | undefined {
    const row = this.rowByIndex.get(i);
    return row === undefined ? undefined : this.at(row);
  }

  of(parent: number): Space[] { return (this.rowsByParent.get(parent) ?? []).map((row) => this.at(row)); }

  private at(row: number): Space {
    let space = this.made.get(row);
    if (!space) {
      const { parent, z0, z1, ring, xy } = this.numbers, points: [number, number][] = [];
      for (let k = ring[row]!; k < ring[row + 1]!; k += 2) points.push([xy[k]!, xy[k + 1]!]);
      space = { i: this.indices[row]!, parent: parent[row]!, z0: z0[row]!, z1: z1[row]!, ring: points };
      this.made.set(row, space);
    }
    return space;
  }
}
