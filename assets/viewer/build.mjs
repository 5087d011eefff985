/**
 * Build the viewer: `node build.mjs [--watch] [--dev]`.
 *
 * dist/parktwin.js   the door of the pages; dist/chunks/* what each page needs, fetched when it is opened
 * dist/parktwin.css  the page's style and the font faces
 * dist/fonts/*       Noto Sans SC 400 and 700 in unicode-range pieces; a browser fetches only the pieces it draws
 * dist/swagger-ui* the API's pages
 * dist/meshopt_*.wasm mesh compression for the tile compiler, which is Python
 * dist/meta.json     esbuild's account of what went into the bundle; the server reads from it what a page needs
 * *.br, *.gz         the scripts and style sheets, compressed
 *
 * Two entries: src/main.tsx is the product, src/scene/index.ts (dist/scene.js) is the 3D view alone, for tests and the dev harness.
 */
import * as esbuild from "esbuild";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { extractMeshopt } from "./wasm.mjs";

const ROOT = dirname(fileURLToPath(import.meta.url));
const DIST = join(ROOT, "dist");
const FONT = join(ROOT, "node_modules/@fontsource/noto-sans-sc");
const WEIGHTS = [400, 700];
const isWatching = process.argv.includes("--watch");

/** Copies the woff2 pieces beside the style sheet and returns their @font-face rules with relative addresses. */
function fontFaces() {
  const fonts = join(DIST, "fonts");
  mkdirSync(fonts, { recursive: true });
  const wanted = new RegExp(`-(${WEIGHTS.join("|")})-normal\\.woff2$`);
  for (const file of readdirSync(join(FONT, "files"))) {
    if (wanted.test(file)) cpSync(join(FONT, "files", file), join(fonts, file));
  }
  return WEIGHTS.map((weight) => readFileSync(join(FONT, `${weight}.css`), "utf8"))
    .join("\n")
    .replace(/,\s*url\([^)]*\.woff\)\s*format\(['"]woff['"]\)/g, "")
    .replace(/url\(\.\/files\//g, "url(fonts/")
    .replace(/font-display:\s*swap/g, "font-display: swap");
}

/** Puts the font faces in front of what esbuild wrote, after every rebuild. */
function withFonts(faces) {
  return {
    name: "fonts",
    setup(build) {
      build.onEnd(() => {
        const sheet = join(DIST, "parktwin.css");
        const own = existsSync(sheet) ? readFileSync(sheet, "utf8") : "";
        if (!own.startsWith("/* fonts */")) writeFileSync(sheet, `/* fonts */\n${faces}\n${own}`);
      });
    },
  };
}

/** The API's pages (/docs) work offline: their script and style come from us. */
function copySwagger() {
  for (const file of ["swagger-ui-bundle.js", "swagger-ui.css"]) cpSync(join(ROOT, "node_modules/swagger-ui-dist", file), join(DIST, file));
}

/** Puts .br and .gz beside every script and style sheet; the server sends the one a browser takes. */
function precompress(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) { if (entry.name === "chunks") precompress(path); continue; }
    if (!/\.(js|css)$/.test(entry.name)) continue;
    const bytes = readFileSync(path);
    if (bytes.length < 1400) continue;
    writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }));
    writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
  }
}

const entries = {};
if (existsSync(join(ROOT, "src/main.tsx"))) entries.parktwin = join(ROOT, "src/main.tsx");
if (existsSync(join(ROOT, "src/scene/index.ts"))) entries.scene = join(ROOT, "src/scene/index.ts");

rmSync(DIST, { recursive: true, force: true });
mkdirSync(DIST, { recursive: true });
copySwagger();
await extractMeshopt(ROOT, DIST);
const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
const options = {
  entryPoints: entries,
  outdir: DIST,
  bundle: true,
  format: "esm",
  splitting: true,
  chunkNames: "chunks/[name]-[hash]",
  target: "es2022",
  minify: !isWatching,
  sourcemap: isWatching ? "inline" : false,
  jsx: "automatic",
  jsxImportSource: "preact",
  loader: { ".svg": "text", ".glsl": "text" },
  define: { "process.env.NODE_ENV": isWatching ? '"development"' : '"production"', __VERSION__: JSON.stringify(version) },
  legalComments: "none",
  metafile: true,
  logLevel: "info",
  plugins: [withFonts(fontFaces())],
};

if (isWatching) {
  const context = await esbuild.context(options);
  await context.watch();
} else {
  const result = await esbuild.build(options);
  writeFileSync(join(DIST, "meta.json"), JSON.stringify(result.metafile));
  precompress(DIST);
}
