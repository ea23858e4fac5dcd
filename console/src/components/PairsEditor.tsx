import AttributeEditor from "@cloudscape-design/components/attribute-editor";
import Input from "@cloudscape-design/components/input";
import type { ReactNode } from "react";

import { useT } from "../i18n";

export interface Pair {
  readonly key: string;
  readonly value: string;
}

/** What is wrong with a row's key or value, where something is. */
export type FaultOfPair = (index: number, field: keyof Pair) => ReactNode;

interface PairsEditorProps {
  pairs: readonly Pair[];
  onChange: (pairs: Pair[]) => void;
  faultOf?: FaultOfPair;
  keyLabel: string;
  keyPlaceholder?: string;
  addLabel: string;
  empty: string;
  /** How many there may be. */
  max?: number;
  /** Of what goes by its key alone. */
  hasValues?: boolean;
}

/** A list of keys and values. */
export function PairsEditor(props: PairsEditorProps) {
  const { pairs, onChange, faultOf, keyLabel, keyPlaceholder, addLabel, empty, hasValues = true } = props;
  const { max = Number.POSITIVE_INFINITY } = props;
  const t = useT();
  const change = (index: number, part: Partial<Pair>) => {
    onChange(pairs.map((pair, at) => (at === index ? { ...pair, ...part } : pair)));
  };
  const field = (name: keyof Pair, label: string, placeholder?: string) => ({
    label,
    control: (pair: Pair, index: number) => (
      <Input
        value={pair[name]}
        {...(placeholder ? { placeholder } : {})}
        spellcheck={false}
        onChange={({ detail }) => {
          change(index, { [name]: detail.value });
        }}
      />
    ),
    errorText: (_: Pair, index: number) => faultOf?.(index, name),
  });
  return (
    <AttributeEditor<Pair>
      items={pairs}
      definition={[field("key", keyLabel, keyPlaceholder), ...(hasValues ? [field("value", t("pairs.value"))] : [])]}
      addButtonText={addLabel}
      removeButtonText={t("pairs.remove")}
      removeButtonAriaLabel={({ key }) => t("pairs.remove-one", { key })}
      empty={empty}
      disableAddButton={pairs.length >= max}
      additionalInfo={Number.isFinite(max) && t("pairs.left", { left: Math.max(0, max - pairs.length) })}
      i18nStrings={{ itemRemovedAriaLive: t("pairs.removed") }}
      onAddButtonClick={() => {
        onChange([...pairs, { key: "", value: "" }]);
      }}
      onRemoveButtonClick={({ detail }) => {
        onChange(pairs.filter((_, at) => at !== detail.itemIndex));
      }}
    />
  );
}
