/** Façades coloured by hours of sun: the scheme's own, its neighbours' after it and before it. */
import { Color, DoubleSide, Group, MeshBasicMaterial, type MeshLambertMaterial } from "three";
import type { Result, Sunlight } from "./api";
import { lit, shadowed, Triangles } from "./triangles";

/** One colour an hour, 0 to 8; the server's stills use the same. */
export const SUN_RAMP = ["#503866", "#685085", "#7a72a0", "#708da6", "#63a5a5", "#7dbca6", "#a3d2ab", "#d9edbe"];
/** What is coloured: the scheme's own buildings, all with the scheme, the neighbours without it, nothing. */
export type Tint = "own" | "after" | "before" | "none";
export const TINTS: readonly Tint[] = ["own", "after", "before", "none"];
/** A neighbour's drawn wall may stand a little outside of what was measured. */
const NEIGHBOUR_M = 0.3;

/** The colours of one side. */
export function tintGroup(result: Result, tint: Tint): Group {
  const group = new Group(), s = result.sunlight, own = new Set(result.buildings.map((b) => b.id)), modelled = new Set(result.buildings.filter((b) => b.modelled).map((b) => b.id));
  if (tint === "none") return group;
  const hours = tint === "before" ? s.hours_before : s.hours_after, isOwn = tint !== "before", isWide = tint !== "own";
  const cells = facade(s, hours, (id) => isOwn && own.has(id) && !modelled.has(id), 0.22, 0.07);
  if (cells) group.add(shadowed(cells.mesh(paintwork()), false));
  for (const film of [facade(s, hours, (id) => isOwn && modelled.has(id), 0, 0.07), isWide ? facade(s, hours, (id) => !own.has(id), 0, NEIGHBOUR_M) : null]) {
    if (!film) continue;
    const mesh = film.mesh(glaze());
    mesh.renderOrder = 5;
    group.add(mesh);
  }
  return group;
}

/** Cells of the buildings wanted, `gap` metres short of each other, `off` metres before the wall. */
function facade(s: Sunlight, hours: (number | null)[], wanted: (id: string) => boolean, gap: number, off: number): Triangles | null {
  const into = new Triangles(), shown = s.stacks.map(wanted);
  for (let k = 0; k < s.z0.length; k++) {
    const h = hours[k];
    if (!shown[s.stack[k]!] || h === null || h === undefined) continue;
    const ax = s.a[2 * k]!, ay = s.a[2 * k + 1]!, bx = s.b[2 * k]!, by = s.b[2 * k + 1]!, l = Math.hypot(bx - ax, by - ay) || 1;
    const ux = (bx - ax) / l, uy = (by - ay) / l, nx = uy * off, ny = -ux * off, cut = Math.min(gap, l / 6);
    into.colour(SUN_RAMP[Math.min(7, Math.max(0, Math.floor(h)))]!);
    into.quad([ax + ux * cut + nx, ay + uy * cut + ny], [bx - ux * cut + nx, by - uy * cut + ny], s.z0[k]! + gap * 1.36, s.z1[k]! - gap * 1.14);
  }
  return into.points.length ? into : null;
}

/** Mostly a cell's own colour, so that it reads against the legend; shadows still show. */
function paintwork(): MeshLambertMaterial {
  const material = lit();
  material.emissive = new Color("#ffffff");
  material.emissiveIntensity = 0.66;
  material.onBeforeCompile = (shader) => { shader.fragmentShader = shader.fragmentShader.replace("#include <emissivemap_fragment>", "totalEmissiveRadiance *= diffuseColor.rgb; diffuseColor.rgb *= 0.3;"); };
  material.customProgramCacheKey = () => "facade";
  return material;
}

/** Over a model's own walls and windows: its colour lies on them like glass. */
function glaze(): MeshBasicMaterial {
  return new MeshBasicMaterial({ vertexColors: true, side: DoubleSide, toneMapped: false, transparent: true, opacity: 0.62, depthWrite: false, polygonOffset: true, polygonOffsetFactor: -2, polygonOffsetUnits: -2 });
}
