// Bundles src/widget.ts and its style sheets into loss_widget/widget/static/{widget.js,widget.css}.
//   node esbuild.mjs            for a release
//   node esbuild.mjs --watch    again on every change; with ANYWIDGET_HMR=1 the notebook reloads it

import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const watch = process.argv.includes("--watch");

const options = {
  entryPoints: { widget: here("src/widget.ts") },
  outdir: here("../loss_widget/widget/static"),
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: !watch,
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
} else await esbuild.build(options);
