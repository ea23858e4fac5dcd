import { type MessageFormatElement, TYPE } from "@formatjs/icu-messageformat-parser";
import { describe, expect, it } from "vitest";

import { speak, type TextKey, type Values } from "./src/i18n";
import en from "./src/i18n/en.json";
import zh from "./src/i18n/zh-CN.json";
import { parsed } from "./texts";

const KEYS = Object.keys(en) as TextKey[];

describe.each([
  ["en", en],
  ["zh-CN", zh],
] as const)("texts that are parsed by the build, in %s", (language, texts) => {
  const atBuild = Object.fromEntries(KEYS.map((key) => [key, parsed(texts[key])])) as Record<
    TextKey,
    ReturnType<typeof parsed>
  >;
  const [asWritten, asBuilt] = [speak(language, texts), speak(language, atBuild)];

  it("say what they say when the page parses them", () => {
    for (const key of KEYS) {
      for (const count of [0, 1, 2_345]) {
        const values = valuesOf(atBuild[key], count);
        expect(asBuilt.t(key, values), key).toBe(asWritten.t(key, values));
      }
    }
  });

  it("stay as they are where nothing is put into them", () => {
    expect(atBuild["nav.jobs"]).toBe(texts["nav.jobs"]);
    expect(atBuild["error.wait"]).not.toBe(texts["error.wait"]);
  });
});

/** Something for each place of a text; of choices the first one. */
function valuesOf(message: string | readonly MessageFormatElement[], count: number): Values {
  const values: Values = {};
  const walk = (elements: readonly MessageFormatElement[]) => {
    for (const element of elements) {
      if (element.type === TYPE.argument) values[element.value] ??= `<${element.value}>`;
      if (element.type === TYPE.number || element.type === TYPE.plural) values[element.value] = count;
      if (element.type === TYPE.select) values[element.value] = Object.keys(element.options)[0] ?? "";
      if (element.type === TYPE.plural || element.type === TYPE.select) {
        for (const option of Object.values(element.options)) walk(option.value);
      }
    }
  };
  if (typeof message !== "string") walk(message);
  return values;
}
