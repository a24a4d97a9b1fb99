"""Writes the types of the messages for TypeScript from those in Python: `python js/write_messages.py`. Imports neither."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FILES = {  # from Python to TypeScript
    ROOT / "loss_widget" / "widget" / f"{name}.py": ROOT / "js" / "src" / f"{name}.ts" for name in ("messages", "verbs")
}
HEADER = (
    f"/* Written by js/{Path(__file__).name} from loss_widget/widget, where these types are declared: change them there. */\n"
)
NAMES = {"str": "string", "int": "number", "float": "number", "bool": "boolean", "None": "null"}


def typescript(source: str) -> str:
    """The TypeScript for a module of constants, type names, TypedDicts and one class `Verbs`."""
    body = ast.parse(source).body
    parts = [HEADER]
    for node, following in zip(body, [*body[1:], None], strict=True):
        written = _statement(node)
        if written:
            parts.append(_comment(_text(following)) + written)
    return "\n".join(parts)


def _statement(node: ast.stmt) -> str:
    if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("loss_widget."):
        names = ", ".join(alias.name for alias in node.names)
        return f'import type {{ {names} }} from "./{node.module.split(".")[-1]}";\n'  # type: ignore[union-attr]
    if isinstance(node, ast.ClassDef):
        return _verbs(node) if node.name == "Verbs" else _interface(node)
    if not isinstance(node, ast.Assign):
        return ""
    [target] = node.targets
    name, value = ast.unparse(target), node.value
    if isinstance(value, ast.Constant):
        return f"export const {name} = {value.value:_};\n"
    if isinstance(value, ast.Call):  # TypedDict("Name", {...}): for fields that are keywords of Python
        fields = zip(value.args[1].keys, value.args[1].values, strict=True)  # type: ignore[attr-defined]
        lines = [f"  readonly {key.value}: {_type(kind)};\n" for key, kind in fields]
        return f"interface {name} {{\n{''.join(lines)}}}\n"
    return f"export type {name} = {_type(value)};\n"


def _interface(node: ast.ClassDef) -> str:
    doc = _comment(ast.get_docstring(node))
    bases = [base for base in map(ast.unparse, node.bases) if base != "TypedDict"]
    fields = "".join(
        f"{_comment(_text(following), '  ')}  {_field(field)}\n"
        for field, following in zip(node.body, [*node.body[1:], None], strict=True)
        if isinstance(field, ast.AnnAssign)
    )
    if not fields and not bases:
        return f"{doc}export type {node.name} = Record<string, never>;\n"
    return f"{doc}export interface {node.name}{' extends ' + ', '.join(bases) if bases else ''} {{\n{fields}}}\n"


def _field(field: ast.AnnAssign) -> str:
    name, kind = ast.unparse(field.target), field.annotation
    if isinstance(kind, ast.Subscript) and ast.unparse(kind.value) == "NotRequired":
        name, kind = f"{name}?", kind.slice
    return f"readonly {name}: {_type(kind)};"


def _verbs(node: ast.ClassDef) -> str:
    lines = []
    for field in node.body:
        if isinstance(field, ast.AnnAssign):
            args, result = field.annotation.slice.elts  # type: ignore[attr-defined]
            lines.append(f"  {ast.unparse(field.target)}: {{ args: {_type(args)}; result: {_type(result)} }};\n")
    names = ", ".join(f'"{ast.unparse(field.target)}"' for field in node.body if isinstance(field, ast.AnnAssign))
    interface = f"{_comment(ast.get_docstring(node))}export interface {node.name} {{\n{''.join(lines)}}}\n"
    return f"{interface}\nexport const VERBS = [{names}] as const satisfies readonly (keyof Verbs)[];\n"


def _type(node: ast.expr) -> str:
    if isinstance(node, ast.BinOp):
        return f"{_type(node.left)} | {_type(node.right)}"
    if isinstance(node, ast.Constant):
        return _literal(node)
    if isinstance(node, ast.Name):
        return NAMES.get(node.id, node.id)
    if isinstance(node, ast.Subscript):
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        match ast.unparse(node.value), parts:
            case "Literal", values:
                return " | ".join(map(_literal, values))
            case "list", [item]:
                inner = _type(item)
                return f"readonly {f'({inner})' if ' ' in inner else inner}[]"
            case "tuple", items:
                return f"readonly [{', '.join(map(_type, items))}]"
            case "dict", [key, value]:
                return f"Readonly<Record<{_type(key)}, {_type(value)}>>"
    raise NotImplementedError(f"Expected a type that TypeScript has too, found {ast.unparse(node)}.")


def _literal(node: ast.expr) -> str:
    value = ast.literal_eval(node)
    return {None: "null", True: "true", False: "false"}.get(value) or f'"{value}"'


def _text(node: ast.stmt | None) -> str | None:
    """The sentence below a field or a constant."""
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    return node.value.value if is_text else None  # type: ignore[union-attr]


def _comment(text: str | None, indent: str = "") -> str:
    return f"{indent}/** {' '.join(text.split())} */\n" if text else ""


if __name__ == "__main__":
    for python, target in FILES.items():
        target.write_text(typescript(python.read_text(encoding="utf-8")), encoding="utf-8")
