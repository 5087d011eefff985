/** One RGBA8 texel a node: display colour and flags. Changes go up as runs of whole rows, once a frame. */
import { DataTexture, NearestFilter, RGBAFormat, UnsignedByteType, type WebGLRenderer } from "three";
import type { World } from "../contract";

const WIDTH = 512;

/** The highest dense node index a park speaks of, with room for what is yet to come. */
export function highestNode(world: World): number {
  let top = world.rooms.indices.reduce((most, i) => Math.max(most, i), world.places.highest);
  for (const device of world.devices) top = Math.max(top, device.i);
  for (const values of world.live.overlay.values()) top = Math.max(top, values.length - 1);
  return top + 4096;
}

/** A display colour as the word of a texel without flags (every machine a browser runs on is little-endian). */
export function wordOf(r: number, g: number, b: number): number {
  return r | (g << 8) | (b << 16);
}

export class StateTexture {
  readonly texture: DataTexture;
  readonly bytes: Uint8Array;
  /** the same a texel a word: r, g, b, flags from the lowest byte on */
  private readonly words: Uint32Array;
  readonly rows: number;
  private readonly dirty: Uint8Array;
  private isDirty = false;
  /** bytes sent to the card by the last flush */
  lastBytes = 0;

  constructor(highestNode: number) {
    this.rows = Math.max(1, Math.ceil((highestNode + 1) / WIDTH));
    this.words = new Uint32Array(WIDTH * this.rows);
    this.bytes = new Uint8Array(this.words.buffer);
    this.dirty = new Uint8Array(this.rows);
    this.texture = new DataTexture(this.bytes, WIDTH, this.rows, RGBAFormat, UnsignedByteType);
    this.texture.magFilter = this.texture.minFilter = NearestFilter;
    this.texture.generateMipmaps = false;
    this.texture.needsUpdate = true;
  }

  /** rgb are 0..255 display values; answers whether anything changed. */
  set(node: number, r: number, g: number, b: number, flags: number): boolean {
    return this.setWord(node, wordOf(r, g, b) | (flags << 24));
  }

  /** As `set`, with the texel as one word. */
  setWord(node: number, word: number): boolean {
    const words = this.words;
    if (node >= words.length || words[node] === word >>> 0) return false;
    words[node] = word;
    this.dirty[node >> 9] = 1;
    this.isDirty = true;
    return true;
  }

  /** Gives every node that has a value its cell's colour (words with flags); of its own flags those in `kept` stay. Answers whether anything changed. */
  paint(values: Float32Array, edges: readonly number[], colours: readonly number[], kept: number, painted: Uint8Array): boolean {
    const { words, dirty } = this, bound = Math.min(values.length, words.length), cuts = Float64Array.from(edges), cells = Uint32Array.from(colours), mask = kept << 24;
    let hasChanged = false;
    for (let node = 1; node < bound; node++) {
      const value = values[node]!;
      if (value !== value) continue;
      let cell = 0;
      while (cell < cuts.length && value >= cuts[cell]!) cell++;
      const old = words[node]!, word = (cells[cell]! | (old & mask)) >>> 0;
      painted[node] = 1;
      if (word === old) continue;
      words[node] = word;
      dirty[node >> 9] = 1;
      hasChanged = true;
    }
    this.isDirty ||= hasChanged;
    return hasChanged;
  }

  flagsOf(node: number): number {
    return node < this.words.length ? this.words[node]! >>> 24 : 0;
  }

  setFlag(node: number, flag: number, isOn: boolean): boolean {
    const old = this.words[node] ?? 0;
    return this.setWord(node, isOn ? old | (flag << 24) : old & ~(flag << 24));
  }

  /** Sends the dirty rows; answers whether there were any. */
  flush(renderer: WebGLRenderer): boolean {
    if (!this.isDirty) return false;
    this.isDirty = false;
    this.lastBytes = 0;
    const held = (renderer.properties.get(this.texture) as { __webglTexture?: WebGLTexture }).__webglTexture;
    if (!held) { this.dirty.fill(0); this.texture.needsUpdate = true; return true; }
    const gl = renderer.getContext() as WebGL2RenderingContext;
    renderer.state.activeTexture(gl.TEXTURE0);
    renderer.state.bindTexture(gl.TEXTURE_2D, held);
    renderer.state.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, false);
    renderer.state.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
    renderer.state.pixelStorei(gl.UNPACK_ALIGNMENT, 4);
    for (let row = 0; row < this.rows; row++) {
      if (!this.dirty[row]) continue;
      let end = row;
      while (end < this.rows && this.dirty[end]) this.dirty[end++] = 0;
      const run = this.bytes.subarray(row * WIDTH * 4, end * WIDTH * 4);
      gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, row, WIDTH, end - row, gl.RGBA, gl.UNSIGNED_BYTE, run);
      this.lastBytes += run.length;
      row = end;
    }
    return true;
  }
}
