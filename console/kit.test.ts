import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { namesOf, renamed, withoutFallbacks } from "./kit";

const { short, tokens } = namesOf(join(import.meta.dirname, "node_modules/@cloudscape-design/components"));
const TEXT = [...tokens].find((token) => token.startsWith("--color-text-body-default-")) ?? "";
const BUTTON = [...short.keys()].find((name) => name.startsWith("awsui_button_")) ?? "";

describe("the kit's names", () => {
  it("are all told apart when they are short", () => {
    expect(new Set(short.values()).size).toBe(short.size);
    expect(tokens.size).toBeGreaterThan(500);
    expect(short.get(TEXT)).toMatch(/^--[a-z0-9]{1,3}$/);
    expect(short.get(BUTTON)).toMatch(/^_[a-z0-9]{1,4}$/);
  });

  it("are the same in scripts and in styles", () => {
    expect(renamed(`.${BUTTON}:not(#\\\t){color:var(${TEXT})}`, short)).toBe(
      `.${short.get(BUTTON)}:not(#\\\t){color:var(${short.get(TEXT)})}`,
    );
    expect(renamed(`{"button": "${BUTTON}"}`, short)).toBe(`{"button": "${short.get(BUTTON)}"}`);
  });

  it.each(["--awsui-style-border-radius", "awsui-dark-mode", "awsui_unknown_abcde_fghij_1", "few-lines"])(
    "leave others as they are: %s",
    (name) => {
      expect(renamed(`.x{${name}:1px}`, short)).toBe(`.x{${name}:1px}`);
    },
  );
});

describe("a value that is always set", () => {
  it.each([
    ["var(--a-1, 1px)", "var(--a-1)"],
    ["calc(var(--a-1, 1px) * 2)", "calc(var(--a-1) * 2)"],
    ["var(--a-1, rgba(0, 0, 0, .1)) solid", "var(--a-1) solid"],
    ["var(--a-1, var(--b-2, (1px))) var(--b-2, 2px)", "var(--a-1) var(--b-2)"],
    ["var(--own, var(--a-1, 1px))", "var(--own, var(--a-1))"],
    ["var(--own, 1px)", "var(--own, 1px)"],
    ["var(--a-1)", "var(--a-1)"],
  ])("needs no other in its place: %s", (before, after) => {
    expect(withoutFallbacks(`a{x:${before}}`, new Set(["--a-1", "--b-2"]))).toBe(`a{x:${after}}`);
  });
});
