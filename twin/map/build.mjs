// Builds vendor/ out of node_modules; the only place that knows which file of which library the page loads.
import { build } from "esbuild";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const OUT = "vendor";
const MODULES = "node_modules";
const COPIED = {
  "maplibre-gl.mjs": "maplibre-gl/dist/maplibre-gl.mjs", // native module: it finds its worker beside itself
  "maplibre-gl-worker.mjs": "maplibre-gl/dist/maplibre-gl-worker.mjs",
  "maplibre-gl.css": "maplibre-gl/dist/maplibre-gl.css",
  "leaflet.css": "leaflet/dist/leaflet.css",
};
const BUNDLED = { deck: "js/entry/deck.mjs", leaflet: "js/entry/leaflet.mjs" };
const SCRIPTS = { charts: "js/entry/charts.mjs" };
// A bundled package whose licence leaves a choice: the one we take.
const CHOSEN = { "(MIT OR GPL-3.0-or-later)": "MIT", "(MIT OR Apache-2.0)": "MIT" };

function packageOf(path) {
  const names = [...path.matchAll(/node_modules\/((?:@[^/]+\/)?[^/]+)/g)].map((m) => m[1]);
  return names.at(-1);
}

function licenceText(folder) {
  const name = readdirSync(folder).find((n) => /^licen[cs]e/i.test(n));
  return name ? readFileSync(join(folder, name), "utf8").trim() : "";
}

function licence(name) {
  const folder = join(MODULES, name);
  const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return { name, version, license: CHOSEN[license] ?? license, text: licenceText(folder) };
}

function writeLicences(names) {
  const all = [...names].sort().map(licence);
  writeFileSync(join(OUT, "LICENSES.json"), JSON.stringify(all.map(({ text, ...rest }) => rest), null, 1) + "\n");
  const texts = all.map((x) => `${x.name} ${x.version} (${x.license})\n\n${x.text}\n`);
  writeFileSync(join(OUT, "LICENSES.txt"), texts.join("\n" + "-".repeat(80) + "\n\n"));
}

async function bundle(entryPoints, format, extension) {
  const { metafile } = await build({
    entryPoints, format, bundle: true, minify: true, target: "es2022", outdir: OUT, metafile: true,
    outExtension: { ".js": extension }, legalComments: "none", logLevel: "error", define: { global: "globalThis" },
  });
  return Object.keys(metafile.inputs).map(packageOf).filter(Boolean);
}

function compress(folder) {
  for (const name of readdirSync(folder)) {
    if (!/\.(mjs|js|css|wasm)$/.test(name)) continue;
    const path = join(folder, name);
    const body = readFileSync(path);
    const params = { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_SIZE_HINT]: body.length };
    writeFileSync(path + ".br", brotliCompressSync(body, { params }));
    writeFileSync(path + ".gz", gzipSync(body, { level: 9 }));
  }
}

rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT, { recursive: true });
for (const [to, from] of Object.entries(COPIED)) cpSync(join(MODULES, from), join(OUT, to));
const used = [
  ...(await bundle(BUNDLED, "esm", ".mjs")),
  ...(await bundle(SCRIPTS, "iife", ".js")),
  ...Object.values(COPIED).map((path) => packageOf(`${MODULES}/${path}`)),
];
writeLicences(new Set(used));
compress(OUT);
for (const name of readdirSync(OUT).filter((n) => /\.(mjs|js|css)$/.test(n))) {
  const kib = (n) => (statSync(join(OUT, n)).size / 1024).toFixed(0).padStart(6);
  console.log(`  ${name.padEnd(24)} ${kib(name)} KiB, ${kib(name + ".br")} KiB as sent`);
}
