import RadioGroup from "@cloudscape-design/components/radio-group";

import { useT } from "../../i18n";
import type { Directive } from "./model";

const DIRECTIVES = ["Copy", "Replaced", "Add"] as const satisfies readonly Directive[];

interface DirectiveChoiceProps {
  of: "metadata" | "tags";
  value: Directive;
  onChange: (directive: Directive) => void;
  /** Why one cannot be chosen. */
  reasonAgainst: (directive: Directive) => string | null;
}

/** What becomes of the source's metadata or tags: copied, replaced, or added to. */
export function DirectiveChoice({ of, value, onChange, reasonAgainst }: DirectiveChoiceProps) {
  const t = useT();
  return (
    <RadioGroup
      value={value}
      items={DIRECTIVES.map((directive) => {
        const reason = reasonAgainst(directive);
        return {
          value: directive,
          label: t(`op.${of}.${directive}`),
          description: reason ?? t(`op.${of}-text.${directive}`),
          disabled: reason !== null && directive !== value,
        };
      })}
      onChange={({ detail }) => {
        const chosen = DIRECTIVES.find((each) => each === detail.value);
        if (chosen) onChange(chosen);
      }}
    />
  );
}
