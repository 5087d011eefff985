// IFC → .xkt with xeokit-convert's own command. Arguments: node_modules, out folder, files… Prints one JSON line a file.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

const [modules, out, ...files] = process.argv.slice(2);
const convert = path.join(modules, "@xeokit/xeokit-convert/convert2xkt.js");
for (const file of files) {
  const to = path.join(out, path.basename(file) + ".xkt");
  execFileSync(process.execPath, [convert, "-s", path.resolve(file), "-o", to], { stdio: ["ignore", "ignore", "inherit"] });
  console.log(JSON.stringify({ file: path.basename(file), bytes: fs.statSync(to).size }));
}
