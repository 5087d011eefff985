/** One RGBA8 texel a node: display colour and flags. Changes go up as runs of whole rows, once a frame. */
import { DataTexture, NearestFilter, RGBAFormat, UnsignedByteType, type WebGLRenderer } from "three";
import type { World } from "../contract";

const WIDTH = 512;

/** The highest dense node index a park speaks of, with room for what is yet to come. */
export function highestNode(world: World): number {
  let top = 0;
  for (const node of world.tree) top = Math.max(top, node.i);
  for (const device of world.devices) top = Math.max(top, device.i);
  for (const space of world.spaces) top = Math.max(top, space.i);
  for (const values of world.live.overlay.values()) top = Math.max(top, values.length - 1);
  return top + 4096;
}

export class StateTexture {
  readonly texture: DataTexture;
  readonly bytes: Uint8Array;
  readonly rows: number;
  private readonly dirty: Uint8Array;
  private isDirty = false;
  /** bytes sent to the card by the last flush */
  lastBytes = 0;

  constructor(highestNode: number) {
    this.rows = Math.max(1, Math.ceil((highestNode + 1) / WIDTH));
    this.bytes = new Uint8Array(WIDTH * this.rows * 4);
    this.dirty = new Uint8Array(this.rows);
    this.texture = new DataTexture(this.bytes, WIDTH, this.rows, RGBAFormat, UnsignedByteType);
    this.texture.magFilter = this.texture.minFilter = NearestFilter;
    this.texture.generateMipmaps = false;
    this.texture.needsUpdate = true;
  }

  /** rgb are 0..255 display values; answers whether anything changed. */
  set(node: number, r: number, g: number, b: number, flags: number): boolean {
    const at = node * 4, bytes = this.bytes;
    if (at + 3 >= bytes.length) return false;
    if (bytes[at] === r && bytes[at + 1] === g && bytes[at + 2] === b && bytes[at + 3] === flags) return false;
    bytes[at] = r; bytes[at + 1] = g; bytes[at + 2] = b; bytes[at + 3] = flags;
    this.dirty[node >> 9] = 1;
    this.isDirty = true;
    return true;
  }

  setFlag(node: number, flag: number, isOn: boolean): boolean {
    const at = node * 4;
    if (at + 3 >= this.bytes.length) return false;
    const old = this.bytes[at + 3]!;
    return this.set(node, this.bytes[at]!, this.bytes[at + 1]!, this.bytes[at + 2]!, isOn ? old | flag : old & ~flag);
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
