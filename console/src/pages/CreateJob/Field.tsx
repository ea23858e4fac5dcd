import FormField, { type FormFieldProps } from "@cloudscape-design/components/form-field";

import { OptionalLabel } from "../../components/OptionalLabel";
import { useSpeech, useT } from "../../i18n";
import type { Field, FieldFault } from "./model";

interface StepFieldProps extends Omit<FormFieldProps, "label" | "errorText"> {
  name: Field;
  faults: readonly FieldFault[];
  isOptional?: boolean;
}

/** A field of the wizard: with its label, what is wrong with it, and an id that the summary of faults leads to. */
export function StepField({ name, faults, isOptional = false, ...rest }: StepFieldProps) {
  const t = useT();
  const say = useSay();
  const own = faults.filter(({ field }) => field === name);
  const label = t(`field.${name}`);
  return (
    <div id={fieldId(name)}>
      <FormField
        {...rest}
        label={isOptional ? <OptionalLabel text={label} /> : label}
        errorText={own.length > 0 && own.map((fault) => <div key={`${fault.path} ${say(fault)}`}>{say(fault)}</div>)}
      />
    </div>
  );
}

/** What a fault says, in the user's language: one of ours, or what the service said. */
export function useSay(): (fault: FieldFault) => string {
  const { t, retold } = useSpeech();
  return ({ said }) => {
    if ("text" in said) return retold(said.text);
    const { problem, ...values } = said.values ?? {};
    return t(said.key, typeof problem === "string" ? { ...values, problem: retold(problem) } : said.values);
  };
}

export function fieldId(name: Field): string {
  return `field-${name}`;
}

/** Leads to the control of a field, or to the field itself where it has none that can be focused. */
export function focusField(name: Field): void {
  const place = document.getElementById(fieldId(name));
  place?.scrollIntoView({ block: "center" });
  place?.querySelector<HTMLElement>("input, textarea, select, button, [tabindex]")?.focus({ preventScroll: true });
}
