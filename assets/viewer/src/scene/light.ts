/** The ground light: occlusion, lamp pools and shadow of the whole park in one picture. */
import { LinearFilter, NoColorSpace, TextureLoader, Vector4 } from "three";
import type { Park } from "../contract";
import type { Materials } from "./materials";

/** Fetches it and hands it to the materials; a park without one is evenly lit. */
export function loadLight({ light, tileset }: Park, { shared }: Materials, done: () => void): void {
  if (!light) return;
  const url = /^(\/|https?:)/.test(light.image) ? light.image : tileset.replace(/tiles\/[^/]*$/, "") + light.image;
  new TextureLoader().load(url, (texture) => {
    texture.colorSpace = NoColorSpace;
    texture.flipY = false;
    texture.generateMipmaps = false;
    texture.minFilter = LinearFilter;
    shared.lightTex!.value = texture;
    shared.lightBounds!.value = new Vector4().fromArray(light.bounds);
    shared.hasLight!.value = 1;
    done();
  }, undefined, () => console.warn("the ground light did not load"));
}
