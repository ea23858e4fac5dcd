import { type MessageFormatElement, parse, TYPE } from "@formatjs/icu-messageformat-parser";
import { readFileSync } from "node:fs";
import { join } from "node:path";

type Texts = Readonly<Record<string, string>>;

export const ENGLISH = read("en");
export const CHINESE = read("zh-CN");
/** What the service says of its own, by what it is in English. */
const SAID = read("sentences.zh-CN");
/** A run of Chinese. */
export const CJK = /[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]+/;

/** Tests may stand elsewhere than the console's sources: its texts are read as they are. */
function read(language: string): Texts {
  return JSON.parse(readFileSync(join(import.meta.dirname, `../src/i18n/${language}.json`), "utf-8")) as Texts;
}

/**
 * Tells whether a text is one of the console's English ones, or of the service's own; those that are the same in Chinese
 * do not count. `told` is what the service has told: what users write may look like a text that is made of parts.
 */
export function isEnglish(text: string, told: string): boolean {
  if (plain.has(text)) return true;
  return !CJK.test(text) && (isOfService(text) || (made.test(text) && !told.includes(text)));
}

/** Tells whether a text has Chinese that is neither the console's own name for the language nor told by the service. */
export function isChinese(text: string, told: string): boolean {
  return [...text.matchAll(new RegExp(CJK, "g"))].some(([run]) => !told.includes(run) && !allEnglish.includes(run));
}

/** Whether a text is a sentence of the service as it is in English, or begins or ends with one. */
function isOfService(text: string): boolean {
  return text.split(/: |; |\n/).some((part) => sentences.test(part.trim())) || sentences.test(text);
}

const allEnglish = Object.values(ENGLISH).join("\n");
const texts = Object.entries(ENGLISH).filter(([key, text]) => text !== CHINESE[key]);
const plain = new Set(texts.map(([, text]) => text));
const made = new RegExp(
  `^(?:${texts
    .map(([, text]) => patternOf(text))
    .filter(hasWord)
    .join("|")})$`,
);

const sentences = new RegExp(
  `^(?:${Object.keys(SAID)
    .filter((said) => (said.match(/[a-z]{2,}/gi)?.length ?? 0) >= 3)
    .map((said) =>
      said
        .split(/\{\d+\}/)
        .map(literally)
        .join("[^]*?"),
    )
    .join("|")})$`,
);

function hasWord(pattern: string): boolean {
  return /[a-z]{3}/i.test(pattern.replaceAll("[^]*?", ""));
}

/** A regular expression of all that a message in ICU syntax may become. */
function patternOf(message: string): string {
  const of = (elements: readonly MessageFormatElement[]): string => elements.map(one).join("");
  const one = (element: MessageFormatElement): string => {
    if (element.type === TYPE.literal) return literally(element.value);
    if (element.type !== TYPE.plural && element.type !== TYPE.select) return "[^]*?";
    return `(?:${Object.values(element.options)
      .map(({ value }) => of(value))
      .join("|")})`;
  };
  return of(parse(message, { ignoreTag: true }));
}

function literally(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
