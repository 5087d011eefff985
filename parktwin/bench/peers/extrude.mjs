// Footprints → one merged position buffer with three.js' ExtrudeGeometry. Arguments: node_modules, out folder, GeoJSON file.
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [modules, , file] = process.argv.slice(2);
const { ExtrudeGeometry, Path, Shape, Vector2 } = await import(
  pathToFileURL(path.join(modules, "three/build/three.module.js")));
const { features } = JSON.parse(fs.readFileSync(file, "utf8"));
const began = performance.now();
const parts = [];
let triangles = 0;
for (const { geometry, properties } of features) {
  const [outline, ...holes] = geometry.coordinates.map((ring) => ring.slice(0, -1).map(([x, y]) => new Vector2(x, y)));
  const shape = new Shape(outline);
  shape.holes = holes.map((hole) => new Path(hole));
  const block = new ExtrudeGeometry(shape, { depth: properties.height, bevelEnabled: false, steps: 1 });
  parts.push(block.attributes.position.array);
  triangles += block.attributes.position.count / 3;
}
const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
let at = 0;
for (const part of parts) { whole.set(part, at); at += part.length; }
console.log(JSON.stringify({ file: path.basename(file), seconds: (performance.now() - began) / 1000, triangles,
  bytes: whole.byteLength }));
