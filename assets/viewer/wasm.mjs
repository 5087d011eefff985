/**
 * Takes the WebAssembly of the npm package `meshoptimizer` out of its scripts, for the tile compiler:
 * dist/meshopt_encoder.wasm and dist/meshopt_decoder.wasm, loaded by scenes/meshopt.py.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const PARTS = { encoder: "MeshoptEncoder", decoder: "MeshoptDecoder" };

/** Writes the modules to `folder`; each script hands its own to `WebAssembly.instantiate` when it is read. */
export async function extractMeshopt(root, folder) {
  const { instantiate } = WebAssembly;
  for (const [part, name] of Object.entries(PARTS)) {
    const script = join(root, "node_modules/meshoptimizer", part === "decoder" ? "meshopt_decoder.mjs" : `meshopt_${part}.js`);
    let taken = null;
    WebAssembly.instantiate = (bytes, ...rest) => { taken = new Uint8Array(bytes); return instantiate.call(WebAssembly, bytes, ...rest); };
    try {
      await (await import(pathToFileURL(script).href))[name].ready;
    } finally {
      WebAssembly.instantiate = instantiate;
    }
    if (!taken) throw new Error(`${script} no longer hands its module to WebAssembly.instantiate`);
    writeFileSync(join(folder, `meshopt_${part}.wasm`), taken);
  }
}
