import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";

import { useT } from "../../i18n";
import { CopyAccess } from "./CopyAccess";
import { CopyDates } from "./CopyDates";
import { CopyDestination } from "./CopyDestination";
import { CopyMetadata } from "./CopyMetadata";
import { CopyStorage } from "./CopyStorage";
import { CopyTags } from "./CopyTags";
import type { Change, CopyDraft, StepProps } from "./model";
import { type Offer, offerOf } from "./offers";

/** What each part of the form of a copy is given. */
export interface CopyProps extends StepProps {
  readonly copy: CopyDraft;
  readonly set: (part: Change<CopyDraft>) => void;
  /** The region that copies are written to. */
  readonly targetRegion: string;
  /** What the stores of the two regions do. */
  readonly source: Offer | undefined;
  readonly target: Offer | undefined;
}

/** Copies each object: where to, and what it becomes there. */
export function Copy(props: StepProps) {
  const { draft, change, capabilities } = props;
  const t = useT();
  const copy = draft.operation.cos_put_object_copy;
  const targetRegion = copy.target_region || draft.region;
  const parts: CopyProps = {
    ...props,
    copy,
    set: (part) => {
      change({ operation: { cos_put_object_copy: part } });
    },
    targetRegion,
    source: offerOf(capabilities, draft.region),
    target: offerOf(capabilities, targetRegion),
  };
  return (
    <SpaceBetween size="l">
      <CopyDestination {...parts} />
      <Container header={<Header variant="h2">{t("op.storage")}</Header>}>
        <SpaceBetween size="l">
          <CopyStorage {...parts} />
          <CopyAccess {...parts} />
        </SpaceBetween>
      </Container>
      <Container header={<Header variant="h2">{t("op.metadata")}</Header>}>
        <SpaceBetween size="l">
          <CopyMetadata {...parts} />
          <CopyTags {...parts} />
        </SpaceBetween>
      </Container>
      <CopyDates {...parts} />
    </SpaceBetween>
  );
}
