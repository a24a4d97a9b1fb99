// Bundles src/widget.ts and its style sheets into loss_widget/widget/static/{widget.js,widget.css}.
//   node esbuild.mjs            for a release
//   node esbuild.mjs --watch    again on every change; with ANYWIDGET_HMR=1 the notebook reloads it

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import { minify } from "terser";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const watch = process.argv.includes("--watch");

const options = {
  entryPoints: { widget: here("src/widget.ts") },
  outdir: here("../loss_widget/widget/static"),
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: !watch,
  // Names that only our own modules know: test/ours.test.ts holds that nobody else does.
  ...(watch
    ? {}
    : { mangleProps: new RegExp(`^(${JSON.parse(readFileSync(here("ours.json"), "utf8")).join("|")})$`) }),
  sourcemap: watch ? "inline" : false,
  legalComments: "none",
  charset: "utf8",
  logLevel: "info",
};

if (watch) {
  // hatch_build.py must not take a bundle for development into a wheel.
  rmSync(here("../loss_widget/widget/static/.sources"), { force: true });
  const context = await esbuild.context(options);
  for (const name of ["SIGINT", "SIGTERM"])
    process.once(name, () => context.dispose().then(() => process.exit(0)));
  await context.watch();
} else {
  await esbuild.build(options);
  // Once more: esbuild takes each statement by itself, terser also what calls what.
  const script = `${options.outdir}/widget.js`;
  const { code } = await minify(readFileSync(script, "utf8"), {
    module: true,
    ecma: 2022,
    // Unsafe only where somebody has changed what JavaScript itself brings.
    compress: { passes: 3, unsafe: true },
    format: { preserve_annotations: false },
  });
  writeFileSync(script, code);
}
