/**
 * Light settled once a look instead of once a frame: albedo, occlusion and the compiler's sun become the display colour of every
 * vertex. On a machine without a graphics card this makes a moving frame four times cheaper; a change of look costs tens of
 * milliseconds. Instances turn and stand in light or shadow: theirs is settled twice, in the sun and out of it, for a white tint.
 */
import { BufferAttribute, type BufferGeometry } from "three";
import { display, type Look } from "./look";
import type { Piece } from "./patch";

const STEPS = 1024, BRIGHTEST = 4;
const SQUARE = Float32Array.from({ length: 256 }, (_, i) => (i / 255) ** 2);

/** Linear light (0..BRIGHTEST) → display value with the contrast curve, as a table. */
function toneTable(exposure: number): Float32Array {
  const table = new Float32Array(STEPS + 1);
  for (let i = 0; i <= STEPS; i++) {
    const c = Math.sqrt(1 - Math.exp(-((i * BRIGHTEST) / STEPS) * exposure));
    table[i] = c + (c * c * (3 - 2 * c) - c) * 0.28;
  }
  return table;
}

function chance(x: number): number {
  const y = Math.sin(x * 12.9898) * 43758.547;
  return y - Math.floor(y);
}

/** A glTF attribute as plain bytes 0..255, whatever it came as. */
function bytesOf(geometry: BufferGeometry, name: string): Uint8Array {
  const attribute = geometry.getAttribute(name);
  if (attribute instanceof BufferAttribute && attribute.array instanceof Uint8Array && attribute.itemSize === 4) return attribute.array;
  const scale = attribute.normalized || attribute.array instanceof Float32Array ? 255 : 1;
  const out = new Uint8Array(attribute.count * 4);
  for (let i = 0; i < attribute.count; i++) {
    out.set([attribute.getX(i) * scale, attribute.getY(i) * scale, attribute.getZ(i) * scale, attribute.itemSize > 3 ? attribute.getW(i) * scale : 255], i * 4);
  }
  return out;
}

export class Baker {
  private table = toneTable(1);
  private key = 0;
  private glass = [0, 0, 0];
  private readonly pane = new Float64Array(3);

  constructor(private look: Look) { this.setLook(look); }

  setLook(look: Look): void {
    this.look = look;
    this.key++;
    this.table = toneTable(look.exposure);
    this.glass = display(look.glass).toArray();
  }

  /** Brings a piece's `lit` attribute (display rgb, surface class) up to the look; of instanced pieces also `dim`. */
  bake(piece: Piece): void {
    const { geometry } = piece.mesh;
    if (piece.isEdge || piece.isBackground || geometry.userData.look === this.key) return;
    geometry.userData.look = this.key;
    const colour = bytesOf(geometry, "color"), shade = bytesOf(geometry, "_shade");
    const nodes = geometry.getAttribute("node").array as Uint32Array;
    this.write(geometry, "lit", (out) => this.fill(out, colour, shade, nodes, piece, this.look.sun));
    if (piece.cut.isInstanced) this.write(geometry, "dim", (out) => this.fill(out, colour, shade, nodes, piece, [0, 0, 0]));
  }

  private write(geometry: BufferGeometry, name: string, fill: (out: Uint8Array) => void): void {
    let attribute = geometry.getAttribute(name) as BufferAttribute | undefined;
    if (!attribute) geometry.setAttribute(name, (attribute = new BufferAttribute(new Uint8Array(geometry.getAttribute("position").count * 4), 4, true)));
    fill(attribute.array as Uint8Array);
    attribute.needsUpdate = true;
  }

  private fill(out: Uint8Array, colour: Uint8Array, shade: Uint8Array, nodes: Uint32Array, piece: Piece, sun: readonly [number, number, number]): void {
    const { sky, ground, lawn, paving, night } = this.look;
    const { table, pane } = this;
    const perLight = STEPS / BRIGHTEST, isNight = night > 0.5, isGroundPiece = piece.cut.isGround, { owner } = piece.place;
    for (let i = 0, at = 0; at < out.length; i++, at += 4) {
      const cls = shade[at + 2]!, up = shade[at + 1]! / 255;
      let ao = colour[at + 3]! / 255, sunlit = shade[at]! / 255;
      if (isGroundPiece && ((cls >= 6 && cls <= 9) || cls === 16)) { sunlit = Math.max(up * 2 - 1, 0) * 0.66; ao = 1; }
      let r = SQUARE[colour[at]!]!, g = SQUARE[colour[at + 1]!]!, b = SQUARE[colour[at + 2]!]!;
      if (cls === 6 || cls === 11 || cls === 18) {
        r *= lawn[0]; g *= lawn[1]; b *= lawn[2];
        if (isNight && cls !== 11) { const grey = (r * 0.3 + g * 0.6 + b * 0.1) * 0.85; r = r * 0.15 + grey * 0.84; g = g * 0.15 + grey; b = b * 0.15 + grey * 1.24; }
      } else if (cls === 7 || cls === 8 || cls === 16 || cls === 17) { r *= paving[0]; g *= paving[1]; b *= paving[2]; }
      const s = sunlit * (0.55 + 0.45 * ao);
      const tr = table[Math.min(STEPS, (r * ((ground[0] + (sky[0] - ground[0]) * up) * ao + sun[0] * s) * perLight) | 0)]!;
      const tg = table[Math.min(STEPS, (g * ((ground[1] + (sky[1] - ground[1]) * up) * ao + sun[1] * s) * perLight) | 0)]!;
      const tb = table[Math.min(STEPS, (b * ((ground[2] + (sky[2] - ground[2]) * up) * ao + sun[2] * s) * perLight) | 0)]!;
      const grey = tr * 0.299 + tg * 0.587 + tb * 0.114;
      r = grey + (tr - grey) * 1.1; g = grey + (tg - grey) * 1.1; b = grey + (tb - grey) * 1.1;
      if (cls === 12 && isNight) { r = 1; g = 0.93; b = 0.78; }
      if (cls === 1) { this.window(r, g, b, owner + (nodes[i] ?? 0) * 7, isNight); r = pane[0]!; g = pane[1]!; b = pane[2]!; }
      out[at] = Math.max(0, Math.min(255, r * 255)); out[at + 1] = Math.max(0, Math.min(255, g * 255));
      out[at + 2] = Math.max(0, Math.min(255, b * 255)); out[at + 3] = cls;
    }
  }

  /** A real window, into `pane`: glass by day, lit or dark by its own chance at night. */
  private window(r: number, g: number, b: number, of: number, isNight: boolean): void {
    const seed = (of * 0.6180339) % 1, { pane } = this, [gr, gg, gb] = this.glass as [number, number, number];
    if (!isNight) {
      const k = (0.75 + 0.5 * g) * (0.92 + 0.16 * seed) * 0.8;
      pane[0] = r * 0.2 + gr * k; pane[1] = g * 0.2 + gg * k; pane[2] = b * 0.2 + gb * k;
      return;
    }
    const isWarm = chance(seed + 0.37) < 0.62, k = chance(seed) >= 0.46 ? 0 : 0.5 + 0.5 * ((seed * 37) % 1);
    pane[0] = gr + ((isWarm ? 1 : 0.86) - gr) * k; pane[1] = gg + ((isWarm ? 0.86 : 0.93) - gg) * k; pane[2] = gb + ((isWarm ? 0.62 : 1) - gb) * k;
  }
}
