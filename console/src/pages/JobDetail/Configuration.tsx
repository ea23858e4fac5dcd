import "./Configuration.css";

import Alert from "@cloudscape-design/components/alert";
import CopyToClipboard from "@cloudscape-design/components/copy-to-clipboard";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import SpaceBetween from "@cloudscape-design/components/space-between";

import type { Job } from "../../api/types";
import { JobSummary } from "../../components/JobSummary";
import { useT } from "../../i18n";

/** What was asked for, in words and as the document that the API takes. */
export function Configuration({ job }: { job: Job }) {
  const t = useT();
  const json = JSON.stringify(job.request, null, 2);
  const asked = job.request.priority ?? job.priority;
  return (
    <SpaceBetween size="l">
      {asked !== job.priority && (
        <Alert type="info">{t("job.configuration.priority", { asked, present: job.priority })}</Alert>
      )}
      <JobSummary form={job.request} />
      <ExpandableSection
        variant="container"
        headerText={t("job.configuration.json")}
        headerDescription={t("job.configuration.json.text")}
        headerActions={
          <CopyToClipboard
            copyButtonText={t("copy.do")}
            copyButtonAriaLabel={t("job.configuration.json.copy")}
            textToCopy={json}
            copySuccessText={t("copy.done")}
            copyErrorText={t("copy.failed")}
          />
        }
      >
        <pre className="mono job-document">{json}</pre>
      </ExpandableSection>
    </SpaceBetween>
  );
}
