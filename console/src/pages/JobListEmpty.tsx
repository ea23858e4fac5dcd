import Button from "@cloudscape-design/components/button";
import Link from "@cloudscape-design/components/link";
import SpaceBetween from "@cloudscape-design/components/space-between";

import { useCapabilities, useMay } from "../api/queries";
import { Empty } from "../components/Empty";
import { useT } from "../i18n";

interface JobListEmptyProps {
  isFiltered: boolean;
  /** Whether this is a page behind the first one, whose jobs are gone. */
  isLaterPage: boolean;
  onClear: () => void;
  onFirstPage: () => void;
}

/** A list without jobs: because there are none, because the filters match none, or because the page is behind the end. */
export function JobListEmpty({ isFiltered, isLaterPage, onClear, onFirstPage }: JobListEmptyProps) {
  const t = useT();
  if (isLaterPage) {
    return (
      <Empty title={t("jobs.empty.page")} actions={<Button onClick={onFirstPage}>{t("jobs.page.first")}</Button>} />
    );
  }
  if (isFiltered) {
    return <Empty title={t("jobs.empty.filtered")} actions={<Button onClick={onClear}>{t("jobs.clear")}</Button>} />;
  }
  return <NoJobs />;
}

function NoJobs() {
  const t = useT();
  const mayCreate = useMay()("create_job");
  const hasSample = useCapabilities().data?.sample != null;
  return (
    <Empty
      title={t("jobs.empty")}
      text={t("jobs.empty.text")}
      actions={
        <SpaceBetween size="s" alignItems="center">
          {mayCreate && (
            <SpaceBetween direction="horizontal" size="xs">
              <Button variant="primary" href="/ui/jobs/create">
                {t("jobs.create")}
              </Button>
              {hasSample && <Button href="/ui/jobs/create?sample=1">{t("jobs.try-sample")}</Button>}
            </SpaceBetween>
          )}
          <Link variant="primary" href="/ui/help">
            {t("jobs.empty.help")}
          </Link>
        </SpaceBetween>
      }
    />
  );
}
