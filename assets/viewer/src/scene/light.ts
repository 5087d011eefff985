/** The ground light: occlusion, lamp pools and shadow of the whole park in one picture. */
import { ImageBitmapLoader, LinearFilter, NoColorSpace, Texture, Vector4 } from "three";
import type { Park } from "../contract";
import type { Materials } from "./materials";

/** Fetches it and hands it to the materials; a park without one is evenly lit. */
export function loadLight({ light, tileset }: Park, { shared }: Materials, done: () => void): void {
  if (!light) return;
  const url = /^(\/|https?:)/.test(light.image) ? light.image : tileset.replace(/tiles\/[^/]*$/, "") + light.image;
  const loader = new ImageBitmapLoader(); // decodes beside the thread that draws
  loader.setOptions({ premultiplyAlpha: "none", colorSpaceConversion: "none" });
  loader.load(url, (picture) => {
    const texture = new Texture(picture);
    texture.needsUpdate = true;
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
