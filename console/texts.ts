import { parse } from "@formatjs/icu-messageformat-parser";
import type { Plugin } from "vite";

/** In a text with one of these there may be more than is read as it stands. */
const SYNTAX = /[{}']/;

/**
 * Texts are parsed when the console is built: the pages then need no parser, of which there would be more than of them.
 * A text without values in it stays what it is.
 */
export function parsedTexts(): Plugin {
  return {
    name: "cosbatch-texts",
    apply: "build",
    enforce: "pre",
    // What formatjs has for that: all of its parser but the parser, which only complains.
    config: () => ({
      resolve: {
        alias: [
          {
            find: /^@formatjs\/icu-messageformat-parser$/,
            replacement: "@formatjs/icu-messageformat-parser/lib/no-parser",
          },
        ],
      },
    }),
    transform(code, id) {
      if (!/[/\\]src[/\\]i18n[/\\][\w-]+\.json$/.test(id)) return undefined;
      const texts = Object.entries(JSON.parse(code) as Record<string, string>);
      return { code: JSON.stringify(Object.fromEntries(texts.map(([key, text]) => [key, parsed(text)]))), map: null };
    },
  };
}

export function parsed(text: string) {
  return SYNTAX.test(text) ? parse(text, { ignoreTag: true, captureLocation: false }) : text;
}
