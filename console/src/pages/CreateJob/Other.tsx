import Button from "@cloudscape-design/components/button";
import ColumnLayout from "@cloudscape-design/components/column-layout";
import Container from "@cloudscape-design/components/container";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import RadioGroup from "@cloudscape-design/components/radio-group";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Textarea from "@cloudscape-design/components/textarea";
import Toggle from "@cloudscape-design/components/toggle";

import { useMay } from "../../api/queries";
import { BucketSelect } from "../../components/BucketSelect";
import { RegionSelect } from "../../components/RegionSelect";
import { RoleSelect } from "../../components/RoleSelect";
import { useT } from "../../i18n";
import { bytesOf } from "./checks";
import { StepField } from "./Field";
import { Limits } from "./Limits";
import type { StepProps } from "./model";
import { QueueNow } from "./QueueNow";
import { TestAccess } from "./TestAccess";

interface OtherProps extends StepProps {
  /** A job that is made of another one cannot be tried before it is there. */
  isFollowUp: boolean;
}

/** Step 3: everything about a job that is neither its objects nor what is done to them. */
export function Other({ isFollowUp, ...props }: OtherProps) {
  const t = useT();
  return (
    <SpaceBetween size="l">
      <About {...props} />
      <Report {...props} />
      <Access {...props} isFollowUp={isFollowUp} />
      <Start {...props} />
      <ExpandableSection variant="container" headerText={t("other.more")} defaultExpanded={needsMore(props)}>
        <Limits {...props} />
      </ExpandableSection>
    </SpaceBetween>
  );
}

/** Whether something below More is not as it is by itself, or is wrong. */
function needsMore({ draft, faults }: StepProps): boolean {
  const below = ["failure_threshold", "verify", "part_copy_above_bytes", "part_size_bytes", "windows"];
  return draft.windows.length > 0 || draft.failure_threshold.never || faults.some(({ field }) => below.includes(field));
}

function About({ draft, change, faults, capabilities }: StepProps) {
  const t = useT();
  const most = capabilities.limits.description_max_bytes;
  return (
    <Container header={<Header variant="h2">{t("other.about")}</Header>}>
      <SpaceBetween size="l">
        <StepField
          name="description"
          faults={faults}
          isOptional
          constraintText={t("other.description.bytes", { bytes: bytesOf(draft.description), most })}
        >
          <Textarea
            value={draft.description}
            rows={2}
            placeholder={t("other.description.example")}
            onChange={({ detail }) => {
              change({ description: detail.value });
            }}
          />
        </StepField>
        <StepField
          name="priority"
          faults={faults}
          description={t("other.priority.text")}
          constraintText={
            <>
              {t("other.priority.range", { most: capabilities.limits.priority_max })}{" "}
              <QueueNow region={draft.region} priority={draft.priority} />
            </>
          }
        >
          <Input
            value={draft.priority}
            type="number"
            inputMode="numeric"
            step={1}
            onChange={({ detail }) => {
              change({ priority: detail.value });
            }}
          />
        </StepField>
      </SpaceBetween>
    </Container>
  );
}

function Report({ draft, change, faults }: StepProps) {
  const t = useT();
  const { report } = draft;
  return (
    <Container header={<Header variant="h2">{t("other.report")}</Header>}>
      <SpaceBetween size="l">
        <StepField name="report.enabled" faults={faults} description={t("other.report.text")}>
          <Toggle
            checked={report.enabled}
            onChange={({ detail }) => {
              change({ report: { enabled: detail.checked } });
            }}
          >
            {t("other.report.on")}
          </Toggle>
        </StepField>
        {report.enabled && (
          <SpaceBetween size="l">
            <StepField name="report.report_scope" faults={faults}>
              <RadioGroup
                value={report.report_scope}
                items={[
                  { value: "AllTasks", label: t("other.scope.all") },
                  { value: "FailedTasksOnly", label: t("other.scope.failed") },
                ]}
                onChange={({ detail }) => {
                  change({
                    report: { report_scope: detail.value === "FailedTasksOnly" ? "FailedTasksOnly" : "AllTasks" },
                  });
                }}
              />
            </StepField>
            <ColumnLayout columns={2}>
              <StepField name="report.region" faults={faults} description={t("other.report.region.text")}>
                <RegionSelect
                  value={report.region}
                  emptyLabel={t("op.same-region", { region: draft.region })}
                  onChange={(region) => {
                    change({ report: { region: region === draft.region ? "" : region } });
                  }}
                />
              </StepField>
              <StepField name="report.bucket" faults={faults} description={t("other.report.bucket.text")}>
                <BucketSelect
                  region={report.region || draft.region}
                  roleArn={draft.role_arn}
                  value={report.bucket}
                  onChange={(bucket) => {
                    change({ report: { bucket } });
                  }}
                />
              </StepField>
            </ColumnLayout>
            <StepField
              name="report.prefix"
              faults={faults}
              isOptional
              description={t("other.report.prefix.text")}
              constraintText={t("other.report.format")}
            >
              <Input
                value={report.prefix}
                placeholder={t("other.report.prefix.example")}
                onChange={({ detail }) => {
                  change({ report: { prefix: detail.value } });
                }}
              />
            </StepField>
          </SpaceBetween>
        )}
      </SpaceBetween>
    </Container>
  );
}

function Access({ isFollowUp, ...props }: OtherProps) {
  const t = useT();
  const may = useMay();
  const { draft, change, faults } = props;
  return (
    <Container header={<Header variant="h2">{t("other.access")}</Header>}>
      <SpaceBetween size="l">
        <StepField
          name="role_arn"
          faults={faults}
          description={t("other.role.text")}
          secondaryControl={
            may("create_role") && (
              <Button href="/ui/roles?create=1" target="_blank" iconName="external" iconAlign="right" external={false}>
                {t("other.role.create")}
              </Button>
            )
          }
        >
          <RoleSelect
            value={draft.role_arn}
            isOptional
            onChange={(role_arn) => {
              change({ role_arn });
            }}
          />
        </StepField>
        {!isFollowUp && draft.role_arn !== "" && (
          // What was found is about this role and this report, both of which can be changed beside it.
          <TestAccess {...props} key={JSON.stringify([draft.role_arn, draft.report])} />
        )}
      </SpaceBetween>
    </Container>
  );
}

function Start({ draft, change, faults }: StepProps) {
  const t = useT();
  return (
    <Container header={<Header variant="h2">{t("other.start")}</Header>}>
      <StepField name="confirmation_required" faults={faults} description={t("other.confirm.text")}>
        <Toggle
          checked={draft.confirmation_required}
          onChange={({ detail }) => {
            change({ confirmation_required: detail.checked });
          }}
        >
          {t("other.confirm.on")}
        </Toggle>
      </StepField>
    </Container>
  );
}
