/**
 * What the service says of its own, in the user's language. A sentence is known by what it is in English, with numbers
 * where it puts values in; so it need not be marked, and what stands in the ledger for long is said as well.
 */
export type Sentences = Readonly<Record<string, string>>;

/** What stands between two sentences. */
export interface Marks {
  colon: string;
  semicolon: string;
}

export interface Retelling {
  /** Of whatever the service has said; what others have said in it stays as it is. */
  retold: (text: string) => string;
  /** The same where users write as well: only what nobody is likely to have written. */
  retoldOfAnybody: (text: string) => string;
}

interface Form {
  /** The longest piece between values: whatever lacks it is not of this form. */
  longest: string;
  words: number;
  form: RegExp;
  text: string;
}

const PLACE = /\{\d+\}/;
const WORDS_OF_NOBODY_ELSE = 3;
const DEEPEST = 3;
const KEPT = 2_000;
/** Of a fault: what stands there. */
const IT_IS = /^(?<said>[^]*) (?<value>\(it is [^]*\))$/;

/** `names`: of what the service's documents call in English words of their own, statuses for one. */
export function retellingOf(texts: Sentences, marks: Marks, names: Sentences = {}): Retelling {
  const plain = new Map(Object.entries(texts).filter(([said]) => !PLACE.test(said)));
  const forms = formsOf(texts);
  const kept = new Map<string, string>();
  if (plain.size + forms.length === 0) return { retold: same, retoldOfAnybody: same };

  function known(text: string, { fewest = 0, depth = 0 }): string | null {
    const whole = plain.get(text);
    if (whole !== undefined) return whole;
    for (const { longest, words, form, text: pattern } of forms) {
      const found = words >= fewest && text.includes(longest) ? form.exec(text) : null;
      if (found) return pattern.replaceAll(/\{(\d+)\}/g, (_, place) => valueOf(found[Number(place) + 1] ?? "", depth));
    }
    return null;
  }

  /** A value may be a part of a sentence; a single word is a name, of ours or of somebody else. */
  function valueOf(value: string, depth: number): string {
    const name = names[value];
    if (name !== undefined) return name;
    return depth < DEEPEST && value.trim().includes(" ") ? all(value, depth + 1) : value;
  }

  /** `path: problem (it is 'value')`. */
  function clause(text: string, depth: number): string | null {
    const whole = known(text, { depth });
    if (whole !== null) return whole;
    const fault = IT_IS.exec(text)?.groups;
    if (fault) {
      const said = clause(fault["said"] ?? "", depth);
      const value = known(` ${fault["value"] ?? ""}`, { depth });
      if (said !== null && value !== null) return `${said}${value}`;
    }
    for (const at of placesOf(": ", text)) {
      const head = text.slice(0, at);
      const saidHead = known(head, { depth });
      const tail = text.slice(at + 2);
      const saidTail = saidHead !== null || tail.includes(" ") ? known(tail, { depth }) : null;
      if (saidTail !== null) return `${saidHead ?? head}${marks.colon}${saidTail}`;
    }
    return null;
  }

  /** One sentence, or several of which each is known. */
  function sentences(text: string, depth: number): string | null {
    for (const at of plain.has(text) ? [] : placesOf("; ", text)) {
      const first = clause(text.slice(0, at), depth);
      const rest = first === null ? null : sentences(text.slice(at + 2), depth);
      if (rest !== null) return `${first ?? ""}${marks.semicolon}${rest}`;
    }
    return clause(text, depth);
  }

  /** Also one beside what somebody else has said. */
  function line(text: string, depth: number): string {
    const whole = sentences(text, depth);
    if (whole !== null) return whole;
    for (const at of placesOf("; ", text)) {
      const first = clause(text.slice(0, at), depth);
      if (first !== null) return `${first}${marks.semicolon}${text.slice(at + 2)}`;
      const last = sentences(text.slice(at + 2), depth);
      if (last !== null) return `${text.slice(0, at)}${marks.semicolon}${last}`;
    }
    return text;
  }

  function all(text: string, depth: number): string {
    if (!text.includes("\n")) return line(text, depth);
    const lines = text.split("\n").map((each) => {
      const said = each.trimStart();
      return `${each.slice(0, each.length - said.length)}${line(said, depth)}`;
    });
    return known(text, { depth }) ?? lines.join("\n");
  }

  return {
    retold: (text) => {
      const before = kept.get(text);
      if (before !== undefined) return before;
      const now = all(text, 0);
      if (kept.size >= KEPT) kept.clear();
      kept.set(text, now);
      return now;
    },
    retoldOfAnybody: (text) => known(text, { fewest: WORDS_OF_NOBODY_ELSE }) ?? text,
  };
}

function same(text: string): string {
  return text;
}

function* placesOf(mark: string, text: string): Generator<number> {
  for (let at = text.indexOf(mark); at !== -1; at = text.indexOf(mark, at + 1)) yield at;
}

/** Those with the most words of their own first: what is left to say is said by the ones with fewer. */
function formsOf(sentences: Sentences): Form[] {
  return Object.entries(sentences)
    .filter(([said]) => PLACE.test(said))
    .map(([said, text]) => {
      const pieces = said.split(PLACE);
      const literal = pieces.join("");
      const words = literal.match(/[a-z]{2,}/gi)?.length ?? 0;
      const value = words >= WORDS_OF_NOBODY_ELSE || /[:(]/.test(literal) ? ANYTHING : NAMES;
      return {
        length: literal.length,
        longest: pieces.reduce((one, other) => (other.length > one.length ? other : one)),
        words,
        form: new RegExp(
          `^${pieces.map((piece, at) => `${valueBefore(pieces, at, value)}${escaped(piece)}`).join("")}$`,
        ),
        text,
      };
    })
    .sort((one, other) => other.length - one.length);
}

const ANYTHING = "([^]*?)";
/** Where few words would fit almost everything. */
const NAMES = "(\\S+(?:(?:,| or) \\S+)*)";
/** Of two values side by side the second is empty, or begins where a word ends. */
const BESIDE = "((?:[ ,;:(][^]*?)?)";

function valueBefore(pieces: readonly string[], at: number, value: string): string {
  if (at === 0) return "";
  return at > 1 && pieces[at - 1] === "" ? BESIDE : value;
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
