import ColumnLayout from "@cloudscape-design/components/column-layout";
import Input from "@cloudscape-design/components/input";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { ReactNode } from "react";

import { useT } from "../i18n";
import { type FaultOfPair, type Pair, PairsEditor } from "./PairsEditor";

/** The headers that every store keeps of an object, each with an example. */
const HEADERS = [
  ["content_type", "image/jpeg"],
  ["cache_control", "max-age=3600"],
  ["content_disposition", 'attachment; filename="report.pdf"'],
  ["content_encoding", "gzip"],
  ["content_language", "zh-CN"],
  ["http_expires_date", "Wed, 21 Oct 2026 07:28:00 GMT"],
] as const;
type Header = (typeof HEADERS)[number][0];

export interface Metadata extends Readonly<Record<Header, string>> {
  /** Names without `x-cos-meta-`. */
  readonly user_metadata: readonly Pair[];
}

interface MetadataEditorProps {
  metadata: Metadata;
  onChange: (part: Partial<Metadata>) => void;
  /** Puts a label around a control, and what is wrong with it. */
  fieldOf: (name: keyof Metadata, control: ReactNode) => ReactNode;
  faultOfPair?: FaultOfPair;
}

/** New metadata of objects: the standard headers, and the user's own. */
export function MetadataEditor({ metadata, onChange, fieldOf, faultOfPair }: MetadataEditorProps) {
  const t = useT();
  return (
    <SpaceBetween size="m">
      <ColumnLayout columns={3}>
        {HEADERS.map(([name, example]) =>
          fieldOf(
            name,
            <Input
              value={metadata[name]}
              placeholder={example}
              spellcheck={false}
              onChange={({ detail }) => {
                onChange({ [name]: detail.value });
              }}
            />,
          ),
        )}
      </ColumnLayout>
      {fieldOf(
        "user_metadata",
        <PairsEditor
          pairs={metadata.user_metadata}
          onChange={(pairs) => {
            onChange({ user_metadata: pairs });
          }}
          {...(faultOfPair ? { faultOf: faultOfPair } : {})}
          keyLabel={t("pairs.name")}
          keyPlaceholder="moved-by"
          addLabel={t("metadata.add")}
          empty={t("metadata.none")}
        />,
      )}
    </SpaceBetween>
  );
}
