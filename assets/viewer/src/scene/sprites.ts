/** Upright signs in one draw: every sign is a cell of one canvas atlas, placed in whole pixels over a point of the park. */
import {
  CanvasTexture, DynamicDrawUsage, GLSL3, InstancedBufferAttribute, InstancedBufferGeometry, BufferAttribute, LinearFilter, Mesh,
  NoColorSpace, RawShaderMaterial, Sphere, Vector2, Vector3, type PerspectiveCamera, type Texture, type WebGLRenderer,
} from "three";
import type { Box, Seams } from "../contract";
import { clearOf } from "../seams";

/** The atlas starts low and doubles when it is full: sending 16 MB up would delay the first picture. */
const ATLAS_WIDTH = 2048, FIRST_HEIGHT = 512, MOST_HEIGHT = 4096;
/** More new signs than this go up with the whole atlas. */
const MOST_PIECES = 400;

export interface Cell { x: number; y: number; w: number; h: number }
/** Draws a sign into `ctx`, whose origin is the cell's upper left corner in css pixels. */
export type Painter = (ctx: CanvasRenderingContext2D) => void;

export interface Sprite {
  key: string; width: number; height: number; paint: Painter;
  at: Vector3;
  /** css pixels from the point to the sign's middle, y up */
  dx: number; dy: number;
  alpha: number;
  /** how much of it remains behind the model, 0..1 */
  behind: number;
  /** what a click on it means */
  pick?: { kind: "device" | "track" | "alarm" | "node"; id: string };
  /** what a screen already has there: smaller wins */
  rank: number;
  /** takes part in the collision of labels */
  isLabel: boolean;
  /** fixed screen place (css pixels) instead of a point of the park */
  screen?: [number, number];
}

const VERTEX = `precision highp float;
in vec2 position; in vec4 box; in vec4 cell; in vec3 look;
uniform vec2 screen, atlas;
out vec2 vUv; out vec2 vLook; out float vDepth;
void main() {
  vec2 px = box.xy + (position - 0.5) * box.zw;
  vUv = (cell.xy + vec2(position.x, 1.0 - position.y) * cell.zw) / atlas;
  vLook = look.xy; vDepth = look.z;
  gl_Position = vec4(px / screen * 2.0 - 1.0, 0.0, 1.0);
}`;
const FRAGMENT = `precision highp float; precision highp sampler2D;
in vec2 vUv; in vec2 vLook; in float vDepth;
uniform sampler2D atlasTex, depthTex; uniform vec2 screen, anchorUnused;
out vec4 outColour;
void main() {
  vec4 c = texture(atlasTex, vUv);
  if (c.a < 0.01) discard;
  outColour = c * vLook.x;
}`;

/** The picture that signs are placed in: this window's corner of it, its size, css pixels; bands that no label may cross, and boxes where none may be. */
export interface Frame { x: number; y: number; width: number; height: number; seams: Seams | null; covered: Box[] }

export interface PlacedSprite { sprite: Sprite; x: number; y: number; depth: number }

export class SpriteBatch {
  readonly mesh: Mesh;
  /** signs drawn last time, nearest last, with their place in css pixels */
  placed: PlacedSprite[] = [];
  private readonly canvas = document.createElement("canvas");
  private readonly ctx: CanvasRenderingContext2D;
  private readonly texture: CanvasTexture;
  private readonly cells = new Map<string, Cell>();
  private readonly widths = new Map<string, number>();
  /** cells drawn since the atlas was last sent up */
  private fresh: Cell[] = [];
  private shelfX = 1; private shelfY = 1; private shelfHeight = 0;
  private readonly geometry = new InstancedBufferGeometry();
  private readonly box: InstancedBufferAttribute; private readonly cell: InstancedBufferAttribute; private readonly look: InstancedBufferAttribute;
  private readonly material: RawShaderMaterial;
  private dpr = 1;
  /** how much larger than on a desk signs are */
  scale = 1;

  constructor(depth: Texture, private readonly capacity = 4096) {
    this.canvas.width = ATLAS_WIDTH; this.canvas.height = FIRST_HEIGHT;
    this.ctx = this.canvas.getContext("2d", { willReadFrequently: true })!;
    this.texture = new CanvasTexture(this.canvas);
    this.texture.generateMipmaps = false;
    this.texture.minFilter = this.texture.magFilter = LinearFilter;
    this.texture.premultiplyAlpha = true;
    this.texture.flipY = false;
    this.texture.colorSpace = NoColorSpace;
    this.geometry.setAttribute("position", new BufferAttribute(new Float32Array([0, 0, 1, 0, 1, 1, 0, 1]), 2));
    this.geometry.setIndex([0, 1, 2, 0, 2, 3]);
    const instanced = (size: number, name: string): InstancedBufferAttribute => {
      const attribute = new InstancedBufferAttribute(new Float32Array(capacity * size), size);
      attribute.setUsage(DynamicDrawUsage);
      this.geometry.setAttribute(name, attribute);
      return attribute;
    };
    this.box = instanced(4, "box"); this.cell = instanced(4, "cell"); this.look = instanced(3, "look");
    this.material = new RawShaderMaterial({
      glslVersion: GLSL3, vertexShader: VERTEX, fragmentShader: FRAGMENT, transparent: true, depthTest: false, depthWrite: false, premultipliedAlpha: true,
      uniforms: { atlasTex: { value: this.texture }, depthTex: { value: depth }, screen: { value: new Vector2() }, atlas: { value: new Vector2(ATLAS_WIDTH, FIRST_HEIGHT) } },
    });
    this.geometry.boundingSphere = new Sphere();
    this.mesh = new Mesh(this.geometry, this.material);
    this.mesh.frustumCulled = false;
    this.mesh.renderOrder = 10;
  }

  /** Forgets every drawn cell: after a change of theme, language, fonts or pixel ratio. */
  clear(): void {
    if (!this.cells.size && !this.widths.size) return;
    this.cells.clear(); this.widths.clear();
    this.shelfX = this.shelfY = 1; this.shelfHeight = 0;
    this.ctx.setTransform(1, 0, 0, 1, 0, 0);
    this.ctx.clearRect(0, 0, ATLAS_WIDTH, this.canvas.height);
    this.fresh = [];
  }

  /** A higher atlas when this one is full; at its highest it only starts anew. */
  private grow(): void {
    if (this.canvas.height < MOST_HEIGHT) {
      this.canvas.height *= 2;
      this.material.uniforms.atlas!.value.set(ATLAS_WIDTH, this.canvas.height);
      this.texture.dispose();
    }
    this.clear();
  }

  /** Sends the new cells to the card; to be called before drawing. The whole atlas is 16 MB, a sign some kB. */
  flush(renderer: WebGLRenderer): void {
    const held = (renderer.properties.get(this.texture) as { __webglTexture?: WebGLTexture }).__webglTexture;
    if (!this.fresh.length) return;
    if (!held || this.fresh.length > MOST_PIECES) this.texture.needsUpdate = true;
    else {
      const gl = renderer.getContext() as WebGL2RenderingContext;
      renderer.state.activeTexture(gl.TEXTURE0);
      renderer.state.bindTexture(gl.TEXTURE_2D, held);
      renderer.state.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, false);
      renderer.state.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, true);
      for (const { x, y, w, h } of this.fresh) gl.texSubImage2D(gl.TEXTURE_2D, 0, x, y, gl.RGBA, gl.UNSIGNED_BYTE, this.ctx.getImageData(x, y, w, h));
    }
    this.fresh = [];
  }

  measure(text: string, font: string): number {
    const key = `${font}\n${text}`;
    let width = this.widths.get(key);
    if (width === undefined) {
      this.ctx.font = font;
      if (this.widths.size > 4000) this.widths.clear();
      this.widths.set(key, (width = this.ctx.measureText(text).width));
    }
    return width;
  }

  private cellOf(sprite: Sprite): Cell | null {
    const had = this.cells.get(sprite.key);
    if (had) return had;
    const w = Math.ceil(sprite.width * this.dpr * this.scale), h = Math.ceil(sprite.height * this.dpr * this.scale);
    if (this.shelfX + w + 2 > ATLAS_WIDTH) { this.shelfX = 1; this.shelfY += this.shelfHeight + 2; this.shelfHeight = 0; }
    if (this.shelfY + h + 2 > this.canvas.height) return null;
    const cell = { x: this.shelfX, y: this.shelfY, w, h };
    this.shelfX += w + 2; this.shelfHeight = Math.max(this.shelfHeight, h);
    const { ctx } = this;
    ctx.setTransform(this.dpr * this.scale, 0, 0, this.dpr * this.scale, cell.x, cell.y);
    ctx.save(); ctx.beginPath(); ctx.rect(0, 0, sprite.width, sprite.height); ctx.clip();
    sprite.paint(ctx);
    ctx.restore();
    this.cells.set(sprite.key, cell);
    this.fresh.push(cell);
    return cell;
  }

  /** Places the signs for this camera; far ones first, labels that collide with a better one left out. */
  update(sprites: Sprite[], camera: PerspectiveCamera, width: number, height: number, dpr: number, maxLabels: number, frame: Frame = { x: 0, y: 0, width, height, seams: null, covered: [] }): void {
    if (dpr !== this.dpr) { this.dpr = dpr; this.clear(); }
    const placed = this.place(sprites, camera, width, height, maxLabels, frame);
    for (let tries = 0; this.fill(placed, height) === "full" && tries < 4; tries++) this.grow();
    this.placed = placed;
    this.material.uniforms.screen!.value.set(width * dpr, height * dpr);
    this.geometry.instanceCount = Math.min(placed.length, this.capacity);
    for (const attribute of [this.box, this.cell, this.look]) {
      attribute.clearUpdateRanges();
      attribute.addUpdateRange(0, this.geometry.instanceCount * attribute.itemSize);
      attribute.needsUpdate = true;
    }
  }

  /** Chosen in the whole picture, so that the windows of a wall agree; kept where this window shows them. */
  private place(sprites: Sprite[], camera: PerspectiveCamera, width: number, height: number, maxLabels: number, frame: Frame): PlacedSprite[] {
    const point = new Vector3(), { scale } = this;
    const seen: PlacedSprite[] = [];
    for (const sprite of sprites) {
      if (sprite.screen) { seen.push({ sprite, x: sprite.screen[0] + sprite.dx, y: sprite.screen[1] - sprite.dy, depth: 0 }); continue; }
      point.copy(sprite.at).project(camera);
      if (point.z < -1 || point.z > 1) continue;
      const x = (point.x * 0.5 + 0.5) * width + sprite.dx * scale + frame.x, y = (0.5 - point.y * 0.5) * height - sprite.dy * scale + frame.y;
      const wide = sprite.width * scale, high = sprite.height * scale;
      if (x < -wide || y < -high || x > frame.width + wide || y > frame.height + high) continue;
      seen.push({ sprite, x, y, depth: point.z });
    }
    seen.sort((a, b) => a.sprite.rank - b.sprite.rank || a.depth - b.depth);
    const kept: PlacedSprite[] = [];
    const taken: Box[] = [...frame.covered];
    let labels = 0;
    for (const p of seen) {
      const w = p.sprite.width * scale, h = p.sprite.height * scale;
      if (p.sprite.isLabel) {
        if (labels >= maxLabels) continue;
        if (frame.seams) {
          p.x += clearOf(frame.seams.x, p.x - w / 2, p.x + w / 2, frame.width);
          p.y += clearOf(frame.seams.y, p.y - h / 2, p.y + h / 2, frame.height);
        }
        const rect: Box = [p.x - w / 2 + 1, p.y - h / 2 + 1, p.x + w / 2 - 1, p.y + h / 2 - 1];
        if (taken.some((t) => t[0] < rect[2] && t[2] > rect[0] && t[1] < rect[3] && t[3] > rect[1])) continue;
        labels++;
        taken.push(rect);
      }
      else if (p.sprite.rank >= 1 && frame.covered.some((b) => p.x > b[0] && p.x < b[2] && p.y > b[1] && p.y < b[3])) continue; // an alarm's mark is never left out
      p.x -= frame.x; p.y -= frame.y;
      if (p.x + w / 2 > 0 && p.y + h / 2 > 0 && p.x - w / 2 < width && p.y - h / 2 < height) kept.push(p);
    }
    return kept.sort((a, b) => b.sprite.rank - a.sprite.rank || b.depth - a.depth);
  }

  private fill(placed: PlacedSprite[], height: number): "ok" | "full" {
    const { dpr } = this;
    let i = 0;
    for (const { sprite, x, y } of placed) {
      if (i >= this.capacity) break;
      const cell = this.cellOf(sprite);
      if (!cell) return "full";
      const left = Math.round((x - (sprite.width * this.scale) / 2) * dpr), bottom = Math.round((height - y - (sprite.height * this.scale) / 2) * dpr);
      this.box.setXYZW(i, left + cell.w / 2, bottom + cell.h / 2, cell.w, cell.h);
      this.cell.setXYZW(i, cell.x, cell.y, cell.w, cell.h);
      this.look.setXYZ(i, sprite.alpha, 1, 0);
      i++;
    }
    return "ok";
  }

  /** The nearest clickable sign under a css pixel. */
  hit(x: number, y: number, slack = 2): PlacedSprite | null {
    for (let i = this.placed.length - 1; i >= 0; i--) {
      const p = this.placed[i]!;
      if (!p.sprite.pick) continue;
      if (Math.abs(x - p.x) <= (p.sprite.width * this.scale) / 2 + slack && Math.abs(y - p.y) <= (p.sprite.height * this.scale) / 2 + slack) return p;
    }
    return null;
  }

  dispose(): void { this.geometry.dispose(); this.material.dispose(); this.texture.dispose(); }
}
