/** One texel a node: colour and flags. A recolour is a texture write, never a geometry change. */
import { DataTexture, NearestFilter, RGBAFormat, UnsignedByteType, type WebGLRenderer } from "three";

export const FLAG = { HIDDEN: 1, OVERRIDE: 2, HIGHLIGHT: 4, BLINK: 8 } as const;
const WIDTH = 512;

export class StateTexture {
  readonly data: Uint8Array;
  readonly texture: DataTexture;
  private readonly rows: number;
  private firstDirty = Infinity;
  private lastDirty = -1;
  /** Milliseconds the last flush took in JS. */
  flushMs = 0;

  /** @param size highest node index + 1 */
  constructor(size: number) {
    this.rows = Math.max(1, Math.ceil(size / WIDTH));
    this.data = new Uint8Array(this.rows * WIDTH * 4);
    this.texture = new DataTexture(this.data, WIDTH, this.rows, RGBAFormat, UnsignedByteType);
    this.texture.magFilter = this.texture.minFilter = NearestFilter;
    this.texture.needsUpdate = true;
  }

  colour(node: number, rgb: [number, number, number] | null): void {
    const at = node * 4;
    if (at + 3 >= this.data.length) return;
    if (rgb) { this.data[at] = rgb[0]; this.data[at + 1] = rgb[1]; this.data[at + 2] = rgb[2]; this.data[at + 3] |= FLAG.OVERRIDE; }
    else this.data[at + 3] &= ~FLAG.OVERRIDE;
    this.touch(node);
  }

  flag(node: number, flag: number, isOn: boolean): void {
    const at = node * 4 + 3;
    if (at >= this.data.length) return;
    const before = this.data[at];
    this.data[at] = isOn ? before | flag : before & ~flag;
    if (this.data[at] !== before) this.touch(node);
  }

  get isDirty(): boolean { return this.lastDirty >= 0; }

  private touch(node: number): void {
    const row = (node / WIDTH) | 0;
    if (row < this.firstDirty) this.firstDirty = row;
    if (row > this.lastDirty) this.lastDirty = row;
  }

  /** Writes the dirty run of rows straight into the texture on the card. */
  flush(renderer: WebGLRenderer): void {
    if (!this.isDirty) return;
    const started = performance.now();
    const handle = (renderer.properties.get(this.texture) as { __webglTexture?: WebGLTexture }).__webglTexture;
    if (!handle) this.texture.needsUpdate = true;
    else {
      const gl = renderer.getContext() as WebGL2RenderingContext, first = this.firstDirty, count = this.lastDirty - first + 1;
      renderer.state.activeTexture(gl.TEXTURE0);
      renderer.state.bindTexture(gl.TEXTURE_2D, handle);
      gl.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, false);
      gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
      gl.pixelStorei(gl.UNPACK_ALIGNMENT, 4);
      const run = this.data.subarray(first * WIDTH * 4, (first + count) * WIDTH * 4);
      gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, first, WIDTH, count, gl.RGBA, gl.UNSIGNED_BYTE, run);
    }
    this.firstDirty = Infinity; this.lastDirty = -1;
    this.flushMs = performance.now() - started;
  }
}
