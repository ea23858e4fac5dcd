import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import SpaceBetween from "@cloudscape-design/components/space-between";

import { useT } from "../../i18n";
import { CSV } from "./columns";
import type { ManifestLook, StepProps } from "./model";

/** What the step tells in its own place. */
const TOLD_ELSEWHERE = new Set(["etag-differs"]);
/** What is read all the same. */
const HARMLESS = new Set(["byte-order-mark", "crlf"]);
/** Whose numbers and examples stand in the words of the service only. */
const WITH_DETAILS = new Set(["keys-look-raw", "mixed-versions", "destination-elsewhere"]);

/** What need not be wrong, and should be known: each with what it means. */
export function ManifestWarnings({ change, read }: StepProps & { read: ManifestLook }) {
  const t = useT();
  const shown = read.warnings.filter(({ kind }) => !TOLD_ELSEWHERE.has(kind));
  if (shown.length === 0) return null;
  return (
    <SpaceBetween size="s">
      {shown.map(({ kind, message }) => (
        <Alert
          key={kind}
          type={HARMLESS.has(kind) ? "info" : "warning"}
          header={t(`manifest.oddity.${kind}`)}
          action={
            kind === "keys-look-raw" &&
            read.format === CSV && (
              <Button
                onClick={() => {
                  change({ manifest: { spec: { key_encoding: "raw" } } });
                }}
              >
                {t("manifest.keys-raw")}
              </Button>
            )
          }
        >
          {t(`manifest.oddity-text.${kind}`)}
          {WITH_DETAILS.has(kind) && (
            <Box fontSize="body-s" color="inherit">
              <span lang="en" className="mono">
                {message}
              </span>
            </Box>
          )}
        </Alert>
      ))}
    </SpaceBetween>
  );
}
