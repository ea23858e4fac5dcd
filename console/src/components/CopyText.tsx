import CopyToClipboard from "@cloudscape-design/components/copy-to-clipboard";
import { Fragment } from "react";

import { useT } from "../i18n";

interface CopyTextProps {
  text: string;
  /** What is shown where it is shorter than what is copied. */
  shown?: string;
  /** Never broken into lines: a table's column is made wide enough for it. */
  isShort?: boolean;
}

/** A text of the machine (an id, a key, an ARN) with a button that copies it. */
export function CopyText({ text, shown, isShort = false }: CopyTextProps) {
  const t = useT();
  return (
    <span className="copy-text">
      <CopyToClipboard
        variant="inline"
        textToCopy={text}
        textToDisplay={<Breakable text={shown ?? text} />}
        wrapText={!isShort}
        copyButtonAriaLabel={t("copy.do")}
        copySuccessText={t("copy.done")}
        copyErrorText={t("copy.failed")}
      />
    </span>
  );
}

/** Paths, ARNs and ids are broken behind their signs first. */
function Breakable({ text }: { text: string }) {
  return text.split(/(?<=[/:-])(?=[^/:\s-])/).map((part, index) => (
    <Fragment key={index}>
      {index > 0 && <wbr />}
      {part}
    </Fragment>
  ));
}
