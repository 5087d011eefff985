/** Where things belong in the tree: the building and storey of a node, the rooms of a storey, the room under a point. */
import type { BuildingTiles, Device, Space, StoreyTile, TreeNode, World } from "../contract";
import { Shift } from "./shift";

export type Focus =
  | { level: "park" } | { level: "building"; building: BuildingTiles }
  | { level: "storey"; building: BuildingTiles; storey: StoreyTile }
  | { level: "space"; building: BuildingTiles; storey: StoreyTile; space: Space; node: TreeNode };

export class Scope {
  readonly buildings = new Map<string, BuildingTiles>();
  private readonly buildingByNode = new Map<number, BuildingTiles>();
  private readonly storeyByNode = new Map<number, [BuildingTiles, StoreyTile]>();
  readonly shift: Shift;

  constructor(private readonly world: World) {
    this.shift = new Shift(world);
    for (const building of world.park.buildings ?? []) {
      this.buildings.set(building.id, building);
      this.buildingByNode.set(building.node, building);
      for (const storey of building.storeys) this.storeyByNode.set(storey.node, [building, storey]);
    }
  }

  storeyOf(node: number): [BuildingTiles, StoreyTile] | null {
    for (let at: number = node, hops = 0; at && hops < 32; hops++) {
      const found = this.storeyByNode.get(at);
      if (found) return found;
      at = this.world.places.parentOf(at);
    }
    return null;
  }

  buildingOf(node: number): BuildingTiles | null {
    for (let at: number = node, hops = 0; at && hops < 32; hops++) {
      const found = this.buildingByNode.get(at);
      if (found) return found;
      at = this.world.places.parentOf(at);
    }
    return null;
  }

  spaces(storey: StoreyTile): Space[] { return this.world.rooms.of(storey.node); }

  /** The room of a storey whose outline holds the point. */
  spaceAt(storey: StoreyTile, x: number, y: number): Space | null {
    return this.spaces(storey).find((space) => contains(space.ring, x, y)) ?? null;
  }

  /** The storey at a height of a building. */
  storeyAt(building: BuildingTiles, z: number): StoreyTile | null {
    let best: StoreyTile | null = null;
    for (const storey of building.storeys) if (storey.elevation <= z + 0.3 && (!best || storey.elevation > best.elevation)) best = storey;
    return best ?? building.storeys[0] ?? null;
  }

  /** What an id means for the camera. A device leads to its room, storey or building. */
  focusOf(id: string): { focus: Focus; device: Device | null } {
    const device = this.world.deviceById.get(id) ?? null;
    const index = device ? device.parent : this.world.byId.get(id)?.i ?? 0;
    const building = this.buildings.get(id) ?? this.buildingOf(index);
    const inside = this.storeyOf(index);
    const space = this.world.rooms.get(index);
    const node = this.world.byIndex.get(index);
    if (inside && space && node && !device) return { focus: { level: "space", building: inside[0], storey: inside[1], space, node }, device };
    if (inside) return { focus: { level: "storey", building: inside[0], storey: inside[1] }, device };
    if (building) return { focus: { level: "building", building }, device };
    return { focus: { level: "park" }, device };
  }
}

export function contains(ring: [number, number][], x: number, y: number): boolean {
  let isIn = false;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
    const [xi, yi] = ring[i]!, [xj, yj] = ring[j]!;
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) isIn = !isIn;
  }
  return isIn;
}

/** A point inside a ring to write on: the area's middle, or the middle of the widest crossing when that lies outside. */
export function innerPoint(ring: [number, number][]): [number, number] {
  let area = 0, cx = 0, cy = 0;
  const [ox, oy] = ring[0] ?? [0, 0];
  for (let i = 0; i < ring.length; i++) {
    const [x0, y0] = ring[i]!, [x1, y1] = ring[(i + 1) % ring.length]!;
    const cross = (x0 - ox) * (y1 - oy) - (x1 - ox) * (y0 - oy);
    area += cross; cx += (x0 + x1 - 2 * ox) * cross; cy += (y0 + y1 - 2 * oy) * cross;
  }
  if (Math.abs(area) < 1e-9) return [ox, oy];
  const middle: [number, number] = [ox + cx / (3 * area), oy + cy / (3 * area)];
  if (contains(ring, ...middle)) return middle;
  const cuts: number[] = [];
  for (let i = 0; i < ring.length; i++) {
    const [x0, y0] = ring[i]!, [x1, y1] = ring[(i + 1) % ring.length]!;
    if (y0 > middle[1] !== y1 > middle[1]) cuts.push(x0 + ((middle[1] - y0) / (y1 - y0)) * (x1 - x0));
  }
  cuts.sort((a, b) => a - b);
  let best: [number, number] = middle, widest = 0;
  for (let i = 0; i + 1 < cuts.length; i += 2) {
    if (cuts[i + 1]! - cuts[i]! > widest) { widest = cuts[i + 1]! - cuts[i]!; best = [(cuts[i]! + cuts[i + 1]!) / 2, middle[1]]; }
  }
  return best;
}
