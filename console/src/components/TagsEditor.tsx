import { useT } from "../i18n";
import { type FaultOfPair, type Pair, PairsEditor } from "./PairsEditor";

/** COS and S3: an object has no more. */
export const TAGS_MAX = 10;

interface TagsEditorProps {
  tags: readonly Pair[];
  onChange: (tags: Pair[]) => void;
  faultOf?: FaultOfPair;
  /** Where tags are taken away: their values do not count. */
  hasValues?: boolean;
}

/** The tags of an object. */
export function TagsEditor({ tags, onChange, faultOf, hasValues = true }: TagsEditorProps) {
  const t = useT();
  return (
    <PairsEditor
      pairs={tags}
      onChange={onChange}
      {...(faultOf ? { faultOf } : {})}
      keyLabel={t("pairs.tag-key")}
      addLabel={t("pairs.add-tag")}
      empty={t("pairs.no-tags")}
      max={TAGS_MAX}
      hasValues={hasValues}
    />
  );
}
