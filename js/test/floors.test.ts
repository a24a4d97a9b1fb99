// @vitest-environment node
/** Holds who may import whom: a stack of folders, downwards only, and no circle. Type-only and late imports count. */

import ts from "typescript";
import { expect, test } from "vitest";

/** From the ground up. Folders on one floor do not know each other. */
const FLOORS = [
  ["messages"],
  ["verbs"],
  ["protocol"],
  ["dom"],
  ["kernel"],
  ["state"],
  ["grid", "dialogs", "panes"],
  ["widget"],
];

const SRC = ts.sys.resolvePath(`${import.meta.dirname}/../src`);

/** Every source file by its path from src, without `.ts`, with the paths of what it imports. */
const IMPORTS = new Map(
  ts.sys.readDirectory(SRC, [".ts"]).flatMap((path) => {
    const name = path.slice(SRC.length + 1);
    return name.endsWith(".d.ts") ? [] : [[name.slice(0, -".ts".length), importsOf(path)] as const];
  }),
);

function importsOf(path: string): readonly string[] {
  const found: string[] = [];
  const take = (node: ts.Node | undefined) => {
    if (!node) return;
    // A name that is put together at run time could be anything.
    if (!ts.isStringLiteralLike(node))
      throw new Error(`${path}: expected a plain string, found ${node.getText()}`);
    const at = ts.sys.resolvePath(`${path}/../${node.text}`);
    found.push(node.text.startsWith(".") && at.startsWith(`${SRC}/`) ? at.slice(SRC.length + 1) : node.text);
  };
  const walk = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) take(node.moduleSpecifier);
    else if (ts.isExternalModuleReference(node)) take(node.expression);
    else if (ts.isImportTypeNode(node))
      take(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : node);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      take(node.arguments[0]);
    ts.forEachChild(node, walk);
  };
  walk(ts.createSourceFile(path, ts.sys.readFile(path) ?? "", ts.ScriptTarget.Latest, true));
  return found;
}

const roomOf = (path: string): string => path.split("/")[0] ?? "";
const floorOf = (path: string): number => FLOORS.findIndex((rooms) => rooms.includes(roomOf(path)));
const files = [...IMPORTS.keys()].sort();

test("every file is in a room of some floor, and every room has files", () => {
  expect([...new Set(files.map(roomOf))].sort()).toEqual(FLOORS.flat().sort());
});

test.each(files)("%s imports only from its own room and from lower floors", (path) => {
  for (const target of IMPORTS.get(path) ?? []) {
    const style = target.endsWith(".css") ? ts.sys.fileExists(`${SRC}/${target}`) : IMPORTS.has(target);
    expect(style, `${target} is a file of src: no other package is bundled`).toBe(true);
    const allowed = roomOf(target) === roomOf(path) || floorOf(target) < floorOf(path);
    expect(allowed, `${path} must not import ${target}`).toBe(true);
  }
});

test("no file imports itself, by whatever way round", () => {
  const finished = new Set<string>();
  const visit = (path: string, way: readonly string[]): void => {
    expect(way, [...way, path].join(" → ")).not.toContain(path);
    if (finished.has(path)) return;
    for (const target of IMPORTS.get(path) ?? []) visit(target, [...way, path]);
    finished.add(path);
  };
  for (const path of files) visit(path, []);
});
