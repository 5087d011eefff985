/** Geometry of a scheme: prisms of its storeys or its own models, lines of the plot, what breaks a rule, what could not be put in. */
import { BufferAttribute, Color, DoubleSide, GreaterDepth, Group, LessEqualDepth, Mesh, MeshBasicMaterial, ShaderMaterial, ShapeUtils, SRGBColorSpace, Vector2, type BufferGeometry, type Material, type Object3D } from "three";
import { breachesOf, type Part, type Result } from "./api";
import { lit, plain, shadowed, Triangles, type Ring } from "./triangles";

export const BREACH = "#a8006d";

/** Magenta in 45° stripes; the part hidden behind others is drawn fainter, in the same stripes. */
function hatch(isHidden: boolean): ShaderMaterial {
  return new ShaderMaterial({
    transparent: true, depthWrite: false, side: DoubleSide, depthFunc: isHidden ? GreaterDepth : LessEqualDepth,
    uniforms: { tint: { value: new Color(BREACH) }, low: { value: isHidden ? 0.0 : 0.3 }, high: { value: isHidden ? 0.5 : 0.92 } },
    vertexShader: "void main(){ gl_Position = projectionMatrix * modelViewMatrix * vec4(position, 1.0); }",
    fragmentShader: "uniform vec3 tint; uniform float low; uniform float high; void main(){ float s = mod(gl_FragCoord.x + gl_FragCoord.y, 9.0); gl_FragColor = vec4(pow(tint, vec3(1.0/2.2)), s < 3.2 ? high : low); }",
  });
}

/** Everything a scheme adds to the view but its façades' colours. */
export function schemeGroup(result: Result): Group {
  const group = new Group(), z = result.ground;
  const pad = new Triangles();
  if (result.buildings.length) pad.colour("#dfe2dc").flat(result.site, z + 0.14);
  for (const ring of result.greens) pad.colour("#bdd0b4").flat(ring, z + 0.2);
  if (pad.points.length) group.add(shadowed(pad.mesh(lit()), false));
  const body = new Triangles();
  for (const building of result.buildings) if (!building.modelled) for (const part of building.parts) solid(body, part, building.levels);
  if (body.points.length) { const mesh = shadowed(body.mesh(lit()), true); mesh.userData.isBody = true; group.add(mesh); }
  ghosts(group, result);
  const marks = new Triangles().colour("#18202b");
  marks.ribbon(result.site, z + 0.55, 0.9, 9, 2.6);
  const inner = result.setback ? inset(result.site, result.setback) : null;
  if (inner) marks.ribbon(inner, z + 0.5, 0.4, 2.4, 2);
  group.add(marks.mesh(plain()));
  broken(group, result);
  return group;
}

function solid(into: Triangles, part: Part, levels: number[]): void {
  for (const ring of part.rings) {
    into.colour("#eceff1").walls(ring, part.z0, part.z1);
    into.colour("#f7f8f7").flat(ring, part.z1);
    into.colour("#a8b2bd");
    for (const level of levels) if (level > part.z0 + 0.5 && level < part.z1 - 0.5) grow(ring, 0.04).forEach((a, k, all) => into.quad(a, all[(k + 1) % all.length]!, level - 0.09, level + 0.09));
    into.colour("#d6dadd");
    const rim = grow(ring, -0.5);
    into.walls(rim, part.z1, part.z1 + 0.9); into.walls(ring, part.z1, part.z1 + 0.9);
  }
}

/** A ring pushed outward (or inward) by mitred corners; rings run anticlockwise. */
function grow(ring: Ring, by: number): Ring {
  const sign = ShapeUtils.area(ring.map(([x, y]) => new Vector2(x, y))) >= 0 ? 1 : -1;
  return ring.map((p, k) => {
    const a = ring[(k + ring.length - 1) % ring.length]!, b = ring[(k + 1) % ring.length]!;
    const n1 = normal(a, p), n2 = normal(p, b), mx = n1[0] + n2[0], my = n1[1] + n2[1], dot = Math.max(0.3, 1 + n1[0] * n2[0] + n1[1] * n2[1]);
    return [p[0] + (sign * by * mx) / dot, p[1] + (sign * by * my) / dot];
  });
}
const inset = (ring: Ring, by: number): Ring => grow(ring, -by);
function normal(a: [number, number], b: [number, number]): [number, number] {
  const l = Math.hypot(b[0] - a[0], b[1] - a[1]) || 1;
  return [(b[1] - a[1]) / l, -(b[0] - a[0]) / l];
}

/** What the server made of the scheme's IFC files, in their own colours; prisms are drawn from the result. */
export function modelMeshes(root: Object3D, result: Result): Mesh[] {
  const wanted = new Set(result.buildings.filter((b) => b.modelled).map((b) => b.id)), found: Mesh[] = [];
  root.updateMatrixWorld(true);
  root.traverse((o) => {
    if (!(o instanceof Mesh) || !wanted.has(String(o.userData.name ?? o.name))) return;
    const geometry = o.geometry.clone() as BufferGeometry, colour = geometry.getAttribute("color"), tint = new Color(), linear = new Float32Array(colour.count * 3);
    for (let k = 0; k < colour.count; k++) tint.setRGB(colour.getX(k), colour.getY(k), colour.getZ(k), SRGBColorSpace).toArray(linear, k * 3);
    geometry.setAttribute("color", new BufferAttribute(linear, 3));
    geometry.applyMatrix4(o.matrixWorld).rotateX(Math.PI / 2);
    const mesh = shadowed(new Mesh(geometry, lit()), true);
    mesh.userData.isBody = true;
    found.push(mesh);
  });
  return found;
}

/** Buildings that could not be put in, as the air they would take and the ground they would share with what stays. */
function ghosts(group: Group, result: Result): void {
  if (!result.left_out.length) return;
  const air = new Triangles().colour("#4a5565"), ground = new Triangles().colour("#18202b");
  for (const b of result.left_out) {
    for (const ring of b.rings) { air.walls(ring, b.z0, b.z1); air.flat(ring, b.z1); for (const z of [b.z0 + 0.3, b.z1]) ground.ribbon(ring, z, 0.35, 1.8, 1.2); }
    for (const ring of b.clash) { const r = grow(ring, 0.2); air.walls(r, b.z0, b.z1 + 0.5); air.flat(r, b.z1 + 0.5); }
  }
  const mesh = air.mesh(new MeshBasicMaterial({ vertexColors: true, side: DoubleSide, transparent: true, opacity: 0.3, depthWrite: false }));
  mesh.renderOrder = 7;
  group.add(mesh, ground.mesh(plain()));
}

function broken(group: Group, result: Result): void {
  const marks = new Triangles(), s = result.sunlight, lines = new Triangles().colour(BREACH);
  for (const { breach } of breachesOf(result)) {
    if (breach.kind === "prism") for (const ring of breach.rings) { const r = grow(ring, 0.14); marks.walls(r, breach.z0, breach.z1 + 0.95); marks.flat(r, breach.z1 + 1); }
    for (const k of breach.cells) {
      const ax = s.a[2 * k]!, ay = s.a[2 * k + 1]!, bx = s.b[2 * k]!, by = s.b[2 * k + 1]!, n = normal([ax, ay], [bx, by]);
      marks.quad([ax + n[0] * 0.14, ay + n[1] * 0.14], [bx + n[0] * 0.14, by + n[1] * 0.14], s.z0[k]!, s.z1[k]!);
    }
    if (breach.segment.length === 2) lines.ribbon(breach.segment.map(([x, y]) => [x, y] as [number, number]), breach.segment[0]![2] + 0.5, 0.9, 0, 0, false);
  }
  if (lines.points.length) group.add(lines.mesh(plain()));
  if (!marks.points.length) return;
  for (const isHidden of [false, true]) { const mesh = marks.mesh(hatch(isHidden)); mesh.renderOrder = isHidden ? 9 : 8; group.add(mesh); }
}

/** Frees what a group holds on the card. */
export function drop(group: Group): void {
  group.traverse((o) => { if (o instanceof Mesh) { o.geometry.dispose(); (o.material as Material).dispose(); } });
  group.removeFromParent();
}
