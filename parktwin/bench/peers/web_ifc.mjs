// IFC → triangles with web-ifc, nothing written. Arguments: node_modules, out folder, files… Prints one JSON line a file.
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const [modules, , ...files] = process.argv.slice(2);
const { IfcAPI } = createRequire(import.meta.url)(path.join(modules, "web-ifc/web-ifc-api-node.js"));
const api = new IfcAPI();
await api.Init();
for (const file of files) {
  const model = api.OpenModel(new Uint8Array(fs.readFileSync(file)));
  const seen = new Set();
  let products = 0, triangles = 0;
  api.StreamAllMeshes(model, (mesh) => {
    products += 1;
    for (let i = 0; i < mesh.geometries.size(); i += 1) {
      const id = mesh.geometries.get(i).geometryExpressID;
      if (seen.has(id)) continue;
      seen.add(id);
      const shape = api.GetGeometry(model, id);
      triangles += api.GetIndexArray(shape.GetIndexData(), shape.GetIndexDataSize()).length / 3;
      api.GetVertexArray(shape.GetVertexData(), shape.GetVertexDataSize());
      shape.delete();
    }
  });
  api.CloseModel(model);
  console.log(JSON.stringify({ file: path.basename(file), products, triangles, bytes: 0 }));
}
