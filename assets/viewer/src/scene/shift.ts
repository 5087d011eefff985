/** Where a building that is drawn elsewhere has its box, storeys, rooms and devices: what is read of the world then holds for the picture. */
import { Matrix4, Vector3 } from "three";
import type { BuildingTiles, Space, World } from "../contract";

interface Built { rooms: Space[]; devices: World["devices"]; bbox: number[]; elevations: number[]; rings: [number, number][][]; heights: [number, number][]; places: number[][] }

export class Shift {
  private readonly built = new Map<string, Built>();

  constructor(private readonly world: World) {}

  /** Takes everything of a building to where it is drawn (park frame); null: to where it was built. */
  set(building: BuildingTiles, motion: number[] | null): void {
    const node = this.world.byIndex.get(building.node), was = this.built.get(building.id) ?? this.read(building), { rooms, devices } = was;
    if (motion) this.built.set(building.id, was); else this.built.delete(building.id);
    const to = motion ? new Matrix4().fromArray(motion) : new Matrix4(), up = to.elements[14]!, p = new Vector3();
    const flat = ([x, y]: [number, number]): [number, number] => { p.set(x, y, 0).applyMatrix4(to); return [p.x, p.y]; };
    const corners = [0, 3].flatMap((i) => [1, 4].map((j) => flat([was.bbox[i]!, was.bbox[j]!]))), xs = corners.map((c) => c[0]), ys = corners.map((c) => c[1]);
    const box = motion ? [Math.min(...xs), Math.min(...ys), was.bbox[2]! + up, Math.max(...xs), Math.max(...ys), was.bbox[5]! + up] : was.bbox;
    for (const target of [building.bbox, node?.bbox ?? []]) (target as number[]).splice(0, 6, ...box);
    building.storeys.forEach((s, k) => { s.elevation = was.elevations[k]! + up; });
    rooms.forEach((s, k) => { s.ring = motion ? was.rings[k]!.map(flat) : was.rings[k]!; s.z0 = was.heights[k]![0] + up; s.z1 = was.heights[k]![1] + up; });
    devices.forEach((d, k) => { p.fromArray(was.places[k]!).applyMatrix4(to); d.pos = p.toArray(); });
  }

  private read(building: BuildingTiles): Built {
    const rooms = building.storeys.flatMap((s) => this.world.rooms.of(s.node)), devices = this.world.devices.filter((d) => this.isIn(d.parent, building.node));
    return { rooms, devices, bbox: [...building.bbox], elevations: building.storeys.map((s) => s.elevation), rings: rooms.map((s) => s.ring), heights: rooms.map((s) => [s.z0, s.z1]), places: devices.map((d) => [...d.pos]) };
  }

  private isIn(index: number, building: number): boolean {
    for (let at = index; at; at = this.world.places.parentOf(at)) if (at === building) return true;
    return false;
  }
}
