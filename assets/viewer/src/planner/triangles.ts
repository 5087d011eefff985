/** Coloured triangles gathered one by one, and the two plain materials they are drawn in. */
import { BufferAttribute, BufferGeometry, Color, DoubleSide, Mesh, MeshBasicMaterial, MeshLambertMaterial, ShapeUtils, Vector2, type Material } from "three";

export type Ring = [number, number][];

export class Triangles {
  readonly points: number[] = [];
  readonly colours: number[] = [];
  private tint = new Color("#ffffff");
  colour(hex: string): this { this.tint.set(hex); return this; }
  corner(x: number, y: number, z: number): void { this.points.push(x, y, z); this.colours.push(this.tint.r, this.tint.g, this.tint.b); }
  quad(a: number[], b: number[], z0: number, z1: number): void {
    const [ax, ay] = a as [number, number], [bx, by] = b as [number, number];
    this.corner(ax, ay, z0); this.corner(bx, by, z0); this.corner(bx, by, z1);
    this.corner(ax, ay, z0); this.corner(bx, by, z1); this.corner(ax, ay, z1);
  }
  flat(ring: Ring, z: number): void {
    const flat = ring.map(([x, y]) => new Vector2(x, y));
    for (const [a, b, c] of ShapeUtils.triangulateShape(flat, []) as [number, number, number][]) for (const k of [a, b, c]) this.corner(flat[k]!.x, flat[k]!.y, z);
  }
  walls(ring: Ring, z0: number, z1: number): void { ring.forEach((a, k) => this.quad(a, ring[(k + 1) % ring.length]!, z0, z1)); }
  /** A line lying on the ground as a ribbon; dash and gap in metres. */
  ribbon(ring: Ring, z: number, wide: number, dash = 0, gap = 0, isClosed = true): void {
    const last = isClosed ? ring.length : ring.length - 1;
    for (let k = 0; k < last; k++) {
      const a = ring[k]!, b = ring[(k + 1) % ring.length]!, length = Math.hypot(b[0] - a[0], b[1] - a[1]);
      if (length < 1e-6) continue;
      const ux = (b[0] - a[0]) / length, uy = (b[1] - a[1]) / length, step = dash ? dash + gap : length;
      for (let s = 0; s < length; s += step) {
        const e = Math.min(length, s + (dash || length)), nx = (-uy * wide) / 2, ny = (ux * wide) / 2;
        const p = [a[0] + ux * s, a[1] + uy * s], q = [a[0] + ux * e, a[1] + uy * e];
        for (const [x, y] of [[p[0]! + nx, p[1]! + ny], [p[0]! - nx, p[1]! - ny], [q[0]! - nx, q[1]! - ny], [p[0]! + nx, p[1]! + ny], [q[0]! - nx, q[1]! - ny], [q[0]! + nx, q[1]! + ny]]) this.corner(x!, y!, z);
      }
    }
  }
  mesh(material: Material): Mesh {
    const geometry = new BufferGeometry();
    geometry.setAttribute("position", new BufferAttribute(new Float32Array(this.points), 3));
    geometry.setAttribute("color", new BufferAttribute(new Float32Array(this.colours), 3));
    geometry.computeVertexNormals();
    return new Mesh(geometry, material);
  }
}

export const lit = (): MeshLambertMaterial => new MeshLambertMaterial({ vertexColors: true, side: DoubleSide, flatShading: true });
export const plain = (): MeshBasicMaterial => new MeshBasicMaterial({ vertexColors: true, side: DoubleSide, toneMapped: false });
export function shadowed(mesh: Mesh, casts: boolean): Mesh { mesh.castShadow = casts; mesh.receiveShadow = true; return mesh; }
