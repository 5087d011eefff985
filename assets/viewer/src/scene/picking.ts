/** What is under a pixel: one pixel drawn in ids, read back. */
import { FloatType, NearestFilter, Vector3, WebGLRenderTarget, type PerspectiveCamera } from "three";
import type { World } from "../contract";
import type { Model } from "./model";
import type { Focus, Scope } from "./scope";
import { GHOST, SOLID, type Stage } from "./stage";

export interface Picked { node: number; owner: number; cls: number; at: Vector3 }

export class Picker {
  private readonly target = new WebGLRenderTarget(1, 1, { type: FloatType, minFilter: NearestFilter, magFilter: NearestFilter });
  private readonly pixel = new Float32Array(4);

  constructor(private readonly stage: Stage, private readonly model: Model, private readonly camera: PerspectiveCamera) {}

  /** x, y in css pixels of the view; null for the sky. */
  pick(x: number, y: number): Picked | null {
    const { stage, camera } = this;
    const { renderer } = stage;
    const background = renderer.getClearColor(stage.clearScratch), alpha = renderer.getClearAlpha();
    const saved = background.clone();
    camera.setViewOffset(stage.width, stage.height, Math.floor(x), Math.floor(y), 1, 1);
    this.model.withIds(() => {
      renderer.setRenderTarget(this.target);
      renderer.setClearColor(0x000000, 0);
      renderer.clear(true, true, false);
      camera.layers.set(SOLID);
      camera.layers.enable(GHOST);
      renderer.render(stage.scene, camera);
      renderer.readRenderTargetPixels(this.target, 0, 0, 1, 1, this.pixel);
      renderer.setRenderTarget(null);
    });
    renderer.setClearColor(saved, alpha);
    camera.clearViewOffset();
    const [node, owner, distance, cls] = this.pixel as unknown as [number, number, number, number];
    if (!(cls > 0)) return null;
    const ray = new Vector3((x / stage.width) * 2 - 1, 1 - (y / stage.height) * 2, 0.5).unproject(camera).sub(camera.position).normalize();
    return { node: Math.round(node), owner: Math.round(owner), cls: Math.round(cls) - 1, at: ray.multiplyScalar(distance).add(camera.position) };
  }

  dispose(): void { this.target.dispose(); }
}

/** The id of the building, storey or room that was hit, as deep as one is drilled in; null for nothing that has a place. */
export function nodeOf(hit: Picked, focus: Focus, scope: Scope, world: World): string | null {
  const own = world.byIndex.get(hit.node);
  const building = hit.owner ? scope.buildingOf(hit.owner) : hit.node ? scope.buildingOf(hit.node) : null;
  if (!building) return own && own.kind !== "park" && own.kind !== "zone" ? own.id : null;
  if (focus.level === "park" || focus.building.id !== building.id) return building.id;
  if (focus.level === "building") return scope.storeyAt(building, hit.at.z)?.id ?? building.id;
  if (own?.kind === "space") return own.id;
  if (hit.at.z < focus.storey.elevation - 0.4) return scope.storeyAt(building, hit.at.z)?.id ?? null;
  const space = scope.spaceAt(focus.storey, hit.at.x, hit.at.y);
  return (space && world.byIndex.get(space.i)?.id) || focus.storey.id;
}
