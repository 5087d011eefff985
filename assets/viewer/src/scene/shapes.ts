/** Shapes a page draws over the model: ribbons, filled areas (plain or hatched), upright fences, rings. */
import { BufferAttribute, BufferGeometry, DoubleSide, GLSL3, Group, Mesh, RawShaderMaterial, ShapeUtils, Vector2, Vector3, type Texture } from "three";
import type { Shape, Xyz } from "../contract";
import { display } from "./look";
import type { StrokeBatch } from "./strokes";

const VERTEX = `precision highp float;
in vec3 position; in vec4 tint; in float hatch;
uniform mat4 modelViewMatrix, projectionMatrix;
out vec4 vTint; out float vHatch; out vec2 vAt;
void main() { vTint = tint; vHatch = hatch; vAt = position.xy + position.z; vec4 c = projectionMatrix * modelViewMatrix * vec4(position, 1.0); gl_Position = vec4(c.xy, c.z - 0.0006 * c.w, c.w); }`;
const FRAGMENT = `precision highp float; precision highp sampler2D;
in vec4 vTint; in float vHatch; in vec2 vAt;
uniform sampler2D depthTex; uniform vec2 screen;
out vec4 outColour;
void main() {
  float a = vTint.a;
  if (vHatch > 0.5 && fract((vAt.x + vAt.y) / 1.3) > 0.34) a *= 0.22;
  if (texture(depthTex, gl_FragCoord.xy / screen).r < gl_FragCoord.z) a *= 0.3;
  outColour = vec4(vTint.rgb, a);
}`;
const flat = (ring: [number, number][]): Vector2[] => ring.map(([x, y]) => new Vector2(x, y));

interface Soup { position: number[]; tint: number[]; hatch: number[] }

export class Shapes {
  readonly group = new Group();
  private readonly material: RawShaderMaterial;
  private readonly named = new Map<string, { shapes: Shape[]; mesh: Mesh | null }>();

  constructor(depth: Texture) {
    this.material = new RawShaderMaterial({
      glslVersion: GLSL3, vertexShader: VERTEX, fragmentShader: FRAGMENT, transparent: true, depthTest: false, depthWrite: false, side: DoubleSide,
      uniforms: { depthTex: { value: depth }, screen: { value: new Vector2(1, 1) } },
    });
  }

  set(name: string, shapes: Shape[] | null): void {
    const had = this.named.get(name);
    if (had?.mesh) { this.group.remove(had.mesh); had.mesh.geometry.dispose(); }
    this.named.delete(name);
    if (!shapes?.length) return;
    const mesh = this.filled(shapes);
    if (mesh) this.group.add(mesh);
    this.named.set(name, { shapes, mesh });
  }

  /** Puts the lines among the other strokes of this frame. */
  build(strokes: StrokeBatch, width: number, height: number, dpr: number): void {
    this.material.uniforms.screen!.value.set(width, height);
    for (const { shapes } of this.named.values()) for (const shape of shapes) this.outline(shape, strokes, dpr);
  }

  dispose(): void { for (const name of [...this.named.keys()]) this.set(name, null); this.material.dispose(); }

  private outline(shape: Shape, strokes: StrokeBatch, dpr: number): void {
    if (shape.kind === "path") {
      for (let k = 1; k < shape.points.length; k++) {
        strokes.line(new Vector3(...shape.points[k - 1]!), new Vector3(...shape.points[k]!), { colour: display(shape.colours[Math.min(k, shape.colours.length - 1)]!), width: shape.width, dash: shape.dash ?? 0, behind: 0.55 }, dpr);
      }
    } else if (shape.kind === "ring") strokes.ring(new Vector3(...shape.at), shape.radius, { colour: display(shape.colour), width: shape.width, behind: 0.55 }, dpr);
    else if (shape.kind === "area") {
      if (!shape.edge) return;
      for (const ring of [shape.ring, ...(shape.holes ?? [])]) strokes.loop(ring.map(([x, y]) => new Vector3(x, y, shape.z)), { colour: display(shape.edge), width: 1.6, behind: 0.35 }, dpr);
    } else {
      for (const z of [shape.z0, shape.z1]) {
        const points = shape.ring.map(([x, y]) => new Vector3(x, y, z)), style = { colour: display(shape.fill), width: 1.8, behind: 0.45 };
        if (shape.isClosed) strokes.loop(points, style, dpr);
        else for (let k = 1; k < points.length; k++) strokes.line(points[k - 1]!, points[k]!, style, dpr);
      }
    }
  }

  private filled(shapes: Shape[]): Mesh | null {
    const soup: Soup = { position: [], tint: [], hatch: [] };
    for (const shape of shapes) {
      if (shape.kind === "area") this.area(shape, soup);
      else if (shape.kind === "wall") this.wall(shape, soup);
    }
    if (!soup.position.length) return null;
    const geometry = new BufferGeometry();
    geometry.setAttribute("position", new BufferAttribute(new Float32Array(soup.position), 3));
    geometry.setAttribute("tint", new BufferAttribute(new Float32Array(soup.tint), 4));
    geometry.setAttribute("hatch", new BufferAttribute(new Float32Array(soup.hatch), 1));
    const mesh = new Mesh(geometry, this.material);
    mesh.frustumCulled = false;
    mesh.renderOrder = 4;
    return mesh;
  }

  private area(shape: Extract<Shape, { kind: "area" }>, soup: Soup): void {
    const holes = (shape.holes ?? []).map(flat), points = [...flat(shape.ring), ...holes.flat()], colour = display(shape.fill);
    for (const face of ShapeUtils.triangulateShape(flat(shape.ring), holes)) {
      for (const i of face) this.put(soup, [points[i!]!.x, points[i!]!.y, shape.z], colour, shape.alpha, shape.isHatched ? 1 : 0);
    }
  }

  private wall(shape: Extract<Shape, { kind: "wall" }>, soup: Soup): void {
    const colour = display(shape.fill), n = shape.ring.length, last = shape.isClosed ? n : n - 1;
    for (let k = 0; k < last; k++) {
      const [ax, ay] = shape.ring[k]!, [bx, by] = shape.ring[(k + 1) % n]!;
      const corners: Xyz[] = [[ax, ay, shape.z0], [bx, by, shape.z0], [bx, by, shape.z1], [ax, ay, shape.z0], [bx, by, shape.z1], [ax, ay, shape.z1]];
      for (const at of corners) this.put(soup, at, colour, shape.alpha, 0);
    }
  }

  private put(soup: Soup, at: Xyz, colour: Vector3, alpha: number, hatch: number): void {
    soup.position.push(...at);
    soup.tint.push(colour.x, colour.y, colour.z, alpha);
    soup.hatch.push(hatch);
  }
}
