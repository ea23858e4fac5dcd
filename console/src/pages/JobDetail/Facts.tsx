import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import Link from "@cloudscape-design/components/link";
import type { ReactNode } from "react";

import type { Job } from "../../api/types";
import { resourceOf } from "../../components/arns";
import { CopyText } from "../../components/CopyText";
import { Reason } from "../../components/EventWords";
import { AbsoluteTime, RelativeTime } from "../../components/RelativeTime";
import { type TextKey, useT } from "../../i18n";
import { useFormats } from "../../i18n/formats";

/** What a job is: of whom, from where to where, since when, until when it is kept. */
export function Facts({ job }: { job: Job }) {
  const t = useT();
  const formats = useFormats();
  const reason = job.status_update_reason;
  const isToldAbove = job.failure_reasons.some((each) => each.failure_reason === reason);
  const retried = job.request.manifest.location.retry_of?.job_id;
  const source = job.findings?.source_bucket;
  const target = resourceOf(job.request.operation.cos_put_object_copy?.target_resource ?? "")?.bucket;
  const pair = (label: TextKey, value: ReactNode) => ({ label: t(label), value });
  const time = (at: string | null) => (at ? <AbsoluteTime at={at} /> : "-");
  return (
    <Container fitHeight header={<Header variant="h2">{t("job.facts")}</Header>}>
      <KeyValuePairs
        columns={2}
        items={[
          ...(isToldAbove ? [] : [pair("job.reason", reason ? <Reason reason={reason} /> : "-")]),
          pair("job.priority", formats.count(job.priority)),
          pair("job.source", source ? <CopyText text={source} /> : "-"),
          ...(target ? [pair("job.target", <CopyText text={target} />)] : []),
          pair("job.created", time(job.creation_time)),
          pair("job.started", time(job.started_time)),
          pair("job.finished", time(job.termination_date)),
          ...(job.removed_after ? [pair("job.kept-until", <KeptUntil at={job.removed_after} />)] : []),
          ...(retried ? [pair("job.retry-of", <Link href={`/ui/jobs/${retried}`}>{retried}</Link>)] : []),
        ]}
      />
    </Container>
  );
}

function KeptUntil({ at }: { at: string }) {
  const t = useT();
  return (
    <>
      <AbsoluteTime at={at} /> (<RelativeTime at={at} />)<div>{t("job.kept-until.text")}</div>
    </>
  );
}
