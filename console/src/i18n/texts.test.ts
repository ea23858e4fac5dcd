import { type MessageFormatElement, parse, TYPE } from "@formatjs/icu-messageformat-parser";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";

import en from "./en.json";
import zh from "./zh-CN.json";

const SOURCE = join(import.meta.dirname, "..");

function placeholders(message: string): string[] {
  const names = new Set<string>();
  const walk = (elements: readonly MessageFormatElement[]) => {
    for (const element of elements) {
      if (element.type !== TYPE.literal && element.type !== TYPE.pound) names.add(element.value);
      if (element.type === TYPE.plural || element.type === TYPE.select) {
        for (const option of Object.values(element.options)) walk(option.value);
      }
    }
  };
  walk(parse(message, { ignoreTag: true }));
  return [...names].sort();
}

describe("the texts of both languages", () => {
  it("have the same keys, in order", () => {
    expect(Object.keys(zh)).toEqual(Object.keys(en));
    expect(Object.keys(en)).toEqual(Object.keys(en).sort());
  });

  it.each(Object.keys(en) as (keyof typeof en)[])("have the same placeholders in %s", (key) => {
    expect(en[key].trim()).toBe(en[key]);
    expect(en[key]).not.toBe("");
    expect(placeholders(zh[key])).toEqual(placeholders(en[key]));
  });
});

describe("pages and components", () => {
  const sources = readdirSync(SOURCE, { recursive: true, encoding: "utf-8" }).filter(
    (name) => name.endsWith(".tsx") && !name.endsWith(".test.tsx"),
  );

  it.each(sources)("have no text of their own: %s", (name) => {
    expect(textsIn(name)).toEqual([]);
  });

  it("use each key that there is, and no other one", () => {
    const all = readdirSync(SOURCE, { recursive: true, encoding: "utf-8" })
      .filter((name) => /\.tsx?$/.test(name) && !/\.test\.tsx?$/.test(name) && !name.endsWith("schema.d.ts"))
      .map((name) => readFileSync(join(SOURCE, name), "utf-8"))
      .join("\n");
    const whole = new Set([...all.matchAll(/["'`]([a-z][\w.:-]*)["'`]/gi)].map(([, text]) => text));
    const made = [...all.matchAll(/`((?:[\w.:-]|\$\{[^`{}]*\})+)`/g)]
      .map(([, text]) => text ?? "")
      .filter((text) => /[a-z]+\.|\.[a-z]+/.test(text.replaceAll(/\$\{[^}]*\}/g, "")))
      .map((text) => new RegExp(`^${text.replaceAll(".", "\\.").replaceAll(/\$\{[^}]*\}/g, ".+")}$`));
    const unused = Object.keys(en).filter((key) => !whole.has(key) && !made.some((each) => each.test(key)));
    expect(unused).toEqual([]);
  });
});

/** Texts with a letter that stand between tags, or in an attribute that people read. */
function textsIn(name: string): string[] {
  const read = new Set([
    "label",
    "title",
    "alt",
    "placeholder",
    "description",
    "ariaLabel",
    "aria-label",
    "header",
    "text",
  ]);
  const file = ts.createSourceFile(
    name,
    readFileSync(join(SOURCE, name), "utf-8"),
    ts.ScriptTarget.Latest,
    true,
    ts.ScriptKind.TSX,
  );
  const found: string[] = [];
  const walk = (node: ts.Node) => {
    if (ts.isJsxText(node) && /\p{L}/u.test(node.text)) found.push(node.text.trim());
    if (
      ts.isJsxAttribute(node) &&
      read.has(node.name.getText()) &&
      node.initializer &&
      ts.isStringLiteral(node.initializer)
    ) {
      found.push(node.initializer.text);
    }
    ts.forEachChild(node, walk);
  };
  walk(file);
  return found;
}
