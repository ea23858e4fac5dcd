import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

const KIT = join(import.meta.dirname, "node_modules/@cloudscape-design/components");
const TOKENS = "internal/base-theme/styles.scoped.css";
/** What the kit's scripts tell its styles; not set everywhere. */
const TOLD = "internal/generated/custom-css-properties/index.js";
/** A class or animation of one component, whose name says where it is from: awsui_button_vjswe_1g1tk_70. */
const SCOPED = /\bawsui_[\w-]+_[a-z0-9]{5}_[a-z0-9]{5}_\d+\b/g;
/** A value of the kit's theme: --color-text-body-default-b2us04. */
const TOKEN = /--[a-z][a-z0-9-]*-[a-z0-9]{6}\b/g;
const DECLARED_TOKEN = /(--[a-z][a-z0-9-]*-[a-z0-9]{6})\s*:/g;

interface KitNames {
  /** What an own name of the kit is called in the pages; by the long name. */
  short: ReadonlyMap<string, string>;
  tokens: ReadonlySet<string>;
}

/** The kit as built pages need it: the same to see, and half as much to load. */
export function kit(): Plugin[] {
  return [shortNames(), settled()];
}

/**
 * Half of the kit's styles are long names of its classes and of its theme's values, and what to take where such a value
 * is not set, which never happens: all of them are set for the whole page. Built pages have short names and no such
 * second values. The names are counted through all of the kit, so that they do not hang on what a page imports.
 */
function shortNames(): Plugin {
  let names: KitNames | undefined;
  return {
    name: "cosbatch-kit-names",
    apply: "build",
    enforce: "pre",
    transform(code, id) {
      const path = id.split("?")[0] ?? "";
      if (!/\.(css|js)$/.test(path) || !/[/\\]@cloudscape-design[/\\]|virtual:theme/.test(path)) return undefined;
      names ??= namesOf(KIT);
      const shorter = path.endsWith(".css") ? withoutFallbacks(code, names.tokens) : code;
      return { code: renamed(shorter, names.short), map: null };
    },
  };
}

interface Settled {
  file: string;
  was: string;
  is: string;
  /** What is said in its place is the whole file. */
  isAll: boolean;
}

/** What the kit decides again and again while a page runs, and which here can be nothing else; and what it does wrong. */
const SETTLED: readonly Settled[] = [
  {
    // Three frames for pages: the others are for one vendor's own consoles and for an older look, and would bring
    // dragging and sorting along.
    file: "/components/app-layout/internal.js",
    was: "import RefreshedAppLayout from './visual-refresh';",
    is: 'export { default as AppLayoutInternal } from "./visual-refresh";',
    isAll: true,
  },
  {
    // A theme that this edition of the kit does not have: each box of each row would look for it in the whole page.
    file: "/components/internal/hooks/use-visual-mode/index.js",
    was: "export const useOneTheme = () => isThemeActive(Theme.OneTheme);",
    is: "export const useVisualRefresh = () => true;\nexport const useOneTheme = () => false;",
    isAll: true,
  },
  {
    // A filter's field says that it controls a list, also while a form (a calendar, say) stands in that list's place.
    file: "/components/property-filter/property-filter-autosuggest.js",
    was: "{ ref: customFormRef, className:",
    is: "{ ref: customFormRef, id: listId, className:",
    isAll: false,
  },
  {
    // The bar of a narrow window: an orientation is nothing that a navigation can have.
    file: "/components/app-layout/visual-refresh/mobile-toolbar.js",
    was: '"aria-orientation": "horizontal", className: clsx(styles[\'mobile-toolbar-nav\']',
    is: "className: clsx(styles['mobile-toolbar-nav']",
    isAll: false,
  },
];

function settled(): Plugin {
  return {
    name: "cosbatch-kit-settled",
    apply: "build",
    enforce: "pre",
    transform(code, id) {
      const found = SETTLED.find(({ file }) => id.replaceAll("\\", "/").endsWith(file));
      if (!found) return undefined;
      if (!code.includes(found.was))
        throw new Error(`${id} is of another version of the kit: it says nothing of ${found.was}`);
      return { code: found.isAll ? found.is : code.replace(found.was, found.is), map: null };
    },
  };
}

export function namesOf(kit: string): KitNames {
  const short = new Map<string, string>();
  const name = (long: string, prefix: string) => {
    if (!short.has(long)) short.set(long, `${prefix}${short.size.toString(36)}`);
  };
  const tokens = new Set(matchesOf(DECLARED_TOKEN, readFileSync(join(kit, TOKENS), "utf-8")));
  if (tokens.size === 0) throw new Error(`the kit declares no values in ${TOKENS}: it is another version of the kit`);
  for (const token of tokens) name(token, "--");
  for (const token of matchesOf(TOKEN, readFileSync(join(kit, TOLD), "utf-8"))) name(token, "--");
  for (const file of readdirSync(kit, { recursive: true, encoding: "utf-8" }).sort()) {
    if (!/\.css(\.js)?$/.test(file)) continue;
    for (const scoped of matchesOf(SCOPED, readFileSync(join(kit, file), "utf-8"))) name(scoped, "_");
  }
  return { short, tokens };
}

function matchesOf(pattern: RegExp, text: string): string[] {
  return [...text.matchAll(pattern)].map(([whole, group]) => group ?? whole);
}

export function renamed(text: string, short: ReadonlyMap<string, string>): string {
  const rename = (long: string) => short.get(long) ?? long;
  return text.replaceAll(SCOPED, rename).replaceAll(TOKEN, rename);
}

/** Takes `var(--name)` for `var(--name, value)`, whatever brackets there are in the value. */
export function withoutFallbacks(css: string, tokens: ReadonlySet<string>): string {
  let kept = "";
  let from = 0;
  for (const found of css.matchAll(/var\(\s*(--[\w-]+)\s*,/g)) {
    const [head, token = ""] = found;
    if (found.index < from || !tokens.has(token)) continue;
    kept += `${css.slice(from, found.index)}var(${token})`;
    from = endOfBrackets(css, found.index + head.length);
  }
  return kept + css.slice(from);
}

/** The place behind the bracket that closes the one which is open at `from`. */
function endOfBrackets(css: string, from: number): number {
  let open = 1;
  let at = from;
  for (; open > 0 && at < css.length; at++) {
    if (css[at] === "(") open++;
    else if (css[at] === ")") open--;
  }
  return at;
}
