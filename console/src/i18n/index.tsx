import { I18nProvider as KitProvider, type I18nProviderProps } from "@cloudscape-design/components/i18n";
import type { MessageFormatElement } from "@formatjs/icu-messageformat-parser";
import { IntlMessageFormat } from "intl-messageformat";
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";

import { type Language, usePreferences } from "../preferences";
import type en from "./en.json";
import { type Marks, type Retelling, retellingOf, type Sentences } from "./sentences";

export type TextKey = keyof typeof en;
/** In ICU message syntax; those with values in them are parsed when the console is built (texts.ts). */
export type Texts = Record<TextKey, string | MessageFormatElement[]>;
export type Values = Record<string, string | number>;
/** The text of a key, in ICU message syntax, with its values put in. */
export type Translate = (key: TextKey, values?: Values) => string;

export interface Speech extends Retelling {
  language: Language;
  t: Translate;
  /** Whether there is a text for a key that was put together: of a code that the service told. */
  has: (key: string) => key is TextKey;
}

/** In a text with one of these there may be more than is read as it stands. */
const SYNTAX = /[{}']/;

const SpeechContext = createContext<Speech | null>(null);

/** Loads the texts of the chosen language, ours and the kit's; shows nothing before they are there. */
export function SpeechProvider({ children }: { children: ReactNode }) {
  const { language } = usePreferences().preferences;
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  useEffect(() => {
    let isCurrent = true;
    void load(language).then((texts) => {
      if (isCurrent) setLoaded(texts);
    });
    document.documentElement.lang = language;
    return () => {
      isCurrent = false;
    };
  }, [language]);
  const speech = useMemo(() => loaded && speak(loaded.language, loaded.texts, loaded.sentences), [loaded]);
  if (!loaded || !speech) return null;
  return (
    <SpeechContext.Provider value={speech}>
      <KitProvider locale={loaded.language} messages={[loaded.kit]}>
        {children}
      </KitProvider>
    </SpeechContext.Provider>
  );
}

export function useSpeech(): Speech {
  const speech = useContext(SpeechContext);
  if (!speech) throw new Error("useSpeech outside of SpeechProvider");
  return speech;
}

export function useT(): Translate {
  return useSpeech().t;
}

export function speak(language: Language, texts: Texts, sentences: Sentences = {}): Speech {
  const made = new Map<TextKey, IntlMessageFormat>();
  const t: Translate = (key, values) => {
    const text = texts[key];
    if (typeof text === "string" && !SYNTAX.test(text)) return text;
    let message = made.get(key);
    if (!message) {
      message = new IntlMessageFormat(text, language, undefined, { ignoreTag: true });
      made.set(key, message);
    }
    return String(message.format(values));
  };
  return {
    language,
    t,
    has: (key): key is TextKey => key in texts,
    ...retellingOf(sentences, MARKS[language], statusesIn(texts)),
  };
}

const STATUS = /^status\.(?<status>[A-Z]\w+)$/;

function statusesIn(texts: Texts): Record<string, string> {
  const named = Object.entries(texts).map(([key, text]) => [STATUS.exec(key)?.groups?.["status"], text] as const);
  return Object.fromEntries(
    named.filter((each): each is [string, string] => each[0] !== undefined && typeof each[1] === "string"),
  );
}

const MARKS: Record<Language, Marks> = {
  en: { colon: ": ", semicolon: "; " },
  "zh-CN": { colon: "：", semicolon: "；" },
};

interface Loaded {
  language: Language;
  texts: Texts;
  sentences: Sentences;
  kit: I18nProviderProps.Messages;
}

async function load(language: Language): Promise<Loaded> {
  const [texts, sentences, kit] =
    language === "zh-CN"
      ? await Promise.all([
          import("./zh-CN.json"),
          import("./sentences.zh-CN.json"),
          import("@cloudscape-design/components/i18n/messages/all.zh-CN"),
        ])
      : await Promise.all([
          import("./en.json"),
          import("./sentences.en.json"),
          import("@cloudscape-design/components/i18n/messages/all.en"),
        ]);
  return { language, texts: texts.default, sentences: sentences.default, kit: kit.default };
}
