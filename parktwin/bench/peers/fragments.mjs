// IFC → .frag with @thatopen/fragments. Arguments: node_modules, out folder, files… Prints one JSON line a file.
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [modules, out, ...files] = process.argv.slice(2);
const { IfcImporter } = await import(pathToFileURL(path.join(modules, "@thatopen/fragments/dist/index.mjs")));
for (const file of files) {
  const importer = new IfcImporter();
  importer.wasm = { path: path.join(modules, "web-ifc") + "/", absolute: true };
  const data = await importer.process({ bytes: new Uint8Array(fs.readFileSync(file)) });
  fs.writeFileSync(path.join(out, path.basename(file) + ".frag"), data);
  console.log(JSON.stringify({ file: path.basename(file), bytes: data.length }));
}
