import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from "react";

export const LANGUAGES = ["en", "zh-CN"] as const;
export type Language = (typeof LANGUAGES)[number];
export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];
export const DENSITIES = ["comfortable", "compact"] as const;
export type Density = (typeof DENSITIES)[number];
export const TIME_ZONES = ["local", "utc"] as const;
export type TimeZone = (typeof TIME_ZONES)[number];

/** What this browser's user likes. Never a secret: it is kept where every page of this address may read it. */
export interface Preferences {
  language: Language;
  theme: Theme;
  density: Density;
  timeZone: TimeZone;
  /** Of the jobs that lists show; empty: of all. */
  region: string;
  /** By the name of a table: what its collection preferences keep. */
  tables: Record<string, KeptTable | undefined>;
}

interface KeptTable {
  pageSize: number;
  visibleContent: readonly string[];
  /** Of columns that the user drew: in pixels, by the column's id. */
  drawn?: Readonly<Record<string, number>>;
}

const KEY = "cosbatch.preferences";

interface Kept {
  preferences: Preferences;
  prefer: (change: Partial<Preferences>) => void;
}

const PreferencesContext = createContext<Kept | null>(null);

/** All tabs of a browser look alike, and none takes back what another one has chosen; which region is shown each has for itself. */
export function PreferencesProvider({ children }: { children: ReactNode }) {
  const [preferences, setPreferences] = useState(readPreferences);
  const prefer = useCallback((change: Partial<Preferences>) => {
    keep({ ...readKept(), ...change });
    setPreferences((before) => ({ ...before, ...change }));
  }, []);
  useEffect(() => {
    const follow = ({ key, oldValue, newValue }: StorageEvent) => {
      if (key !== KEY) return;
      const [was, now] = [keptIn(oldValue), keptIn(newValue)];
      setPreferences(({ language: spoken, region }) => {
        const read = preferencesOf(now, spoken);
        // An address may have named the language of this tab: it holds until one is chosen.
        return { ...read, language: was.language === now.language ? spoken : read.language, region };
      });
    };
    globalThis.addEventListener("storage", follow);
    return () => {
      globalThis.removeEventListener("storage", follow);
    };
  }, []);
  const kept = useMemo(() => ({ preferences, prefer }), [preferences, prefer]);
  return <PreferencesContext.Provider value={kept}>{children}</PreferencesContext.Provider>;
}

export function usePreferences(): Kept {
  const kept = useContext(PreferencesContext);
  if (!kept) throw new Error("usePreferences outside of PreferencesProvider");
  return kept;
}

/** `?lang` first, then what was chosen before, then what the browser asks for. */
export function readPreferences(): Preferences {
  const asked = language(new URLSearchParams(globalThis.location.search).get("lang"));
  const read = preferencesOf(readKept(), languageOf(navigator.languages));
  return asked ? { ...read, language: asked } : read;
}

function preferencesOf(kept: Partial<Preferences>, usualLanguage: Language): Preferences {
  return {
    language: language(kept.language) ?? usualLanguage,
    theme: oneOf(THEMES, kept.theme) ?? "system",
    density: oneOf(DENSITIES, kept.density) ?? "comfortable",
    timeZone: oneOf(TIME_ZONES, kept.timeZone) ?? "local",
    region: typeof kept.region === "string" ? kept.region : "",
    tables: typeof kept.tables === "object" && kept.tables !== null ? kept.tables : {},
  };
}

/** The first of the browser's languages that the console speaks; else English. */
export function languageOf(wanted: readonly string[]): Language {
  for (const each of wanted) {
    const found = language(each);
    if (found) return found;
  }
  return "en";
}

function language(text: unknown): Language | undefined {
  if (typeof text !== "string") return undefined;
  if (/^zh\b/i.test(text)) return "zh-CN";
  return /^en\b/i.test(text) ? "en" : undefined;
}

function oneOf<Choice extends string>(choices: readonly Choice[], text: unknown): Choice | undefined {
  return choices.find((choice) => choice === text);
}

function readKept(): Partial<Preferences> {
  try {
    return keptIn(localStorage.getItem(KEY));
  } catch {
    return {}; // storage is forbidden
  }
}

function keptIn(text: string | null): Partial<Preferences> {
  try {
    const kept: unknown = JSON.parse(text ?? "{}");
    return typeof kept === "object" && kept !== null ? kept : {};
  } catch {
    return {}; // somebody else wrote there
  }
}

function keep(chosen: Partial<Preferences>): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(chosen));
  } catch {
    // Storage is forbidden or full: the choice holds until the page is left.
  }
}
