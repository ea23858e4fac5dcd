import Box from "@cloudscape-design/components/box";
import CopyToClipboard from "@cloudscape-design/components/copy-to-clipboard";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Tabs from "@cloudscape-design/components/tabs";

import type { Schemas } from "../../api/types";
import { useT } from "../../i18n";
import type { FollowUp } from "./origin";

interface EquivalentsProps {
  /** undefined: the service has not told them. */
  equivalents: Schemas["EquivalentsView"] | undefined;
  /** What the job is made of: then there is no job document, and the call that makes it is told. */
  followUp: FollowUp | null;
}

/** The same job for who makes the next one with a program. It has its place from the first, so that nothing moves. */
export function Equivalents({ equivalents, followUp }: EquivalentsProps) {
  const t = useT();
  return (
    <ExpandableSection variant="container" headerText={t("review.same")} headerDescription={t("review.same.text")}>
      {equivalents ? (
        <Texts equivalents={equivalents} followUp={followUp} />
      ) : (
        <Box color="text-body-secondary">{t("review.same.none")}</Box>
      )}
    </ExpandableSection>
  );
}

type TextsProps = Pick<EquivalentsProps, "followUp"> & { equivalents: Schemas["EquivalentsView"] };

function Texts({ equivalents, followUp }: TextsProps) {
  const t = useT();
  const texts = {
    xml: indented(equivalents.xml),
    json: equivalents.json,
    cli: equivalents.cli,
  };
  return (
    <Tabs
      ariaLabel={t("review.same")}
      tabs={(["xml", "json", "cli"] as const)
        .filter((id) => texts[id] !== "")
        .map((id) => ({
          id,
          label: t(`review.same.${id}`),
          content: (
            <SpaceBetween size="s">
              <Box color="text-body-secondary">
                {id === "json" && followUp
                  ? t("review.same.json.call", { call: followUp.call, job: followUp.job.job_id })
                  : t(`review.same.${id}.text`)}
              </Box>
              <CopyToClipboard
                variant="button"
                textToCopy={texts[id]}
                copyButtonText={t("copy.do")}
                copySuccessText={t("copy.done")}
                copyErrorText={t("copy.failed")}
              />
              <pre className="mono lines">{texts[id]}</pre>
            </SpaceBetween>
          ),
        }))}
    />
  );
}

/** XML that was written in one line, an element a line. It has no mixed content. */
export function indented(xml: string): string {
  let depth = 0;
  return xml
    .replaceAll("><", ">\n<")
    .split("\n")
    .map((line) => {
      if (line.startsWith("</")) depth -= 1;
      const text = "  ".repeat(Math.max(0, depth)) + line;
      if (/^<[^/?!]/.test(line) && !line.endsWith("/>") && !line.includes("</")) depth += 1;
      return text;
    })
    .join("\n");
}
