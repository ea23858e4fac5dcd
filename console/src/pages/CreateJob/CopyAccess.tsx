import Alert from "@cloudscape-design/components/alert";
import Link from "@cloudscape-design/components/link";
import RadioGroup from "@cloudscape-design/components/radio-group";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";

import { GrantsEditor } from "../../components/GrantsEditor";
import { type Translate, useT } from "../../i18n";
import type { CopyProps } from "./Copy";
import { listFaults } from "./faultPlaces";
import { StepField, useSay } from "./Field";
import { ACCESS_CHOICES, type AccessChoice } from "./model";
import { isEmulated, type Offer, type Option, refusedBy } from "./offers";

const GRANTS = "operation.cos_put_object_copy.access_control_grants";
/** Those that people need; the others are shown when they ask for more. */
const USUAL: readonly AccessChoice[] = ["inherit", "private", "public-read"];

/** What a choice asks of the store of the source and of that of the copies. */
const NEEDS: Record<AccessChoice, { source: readonly Option[]; target: readonly Option[] }> = {
  inherit: { source: [], target: [] },
  private: { source: [], target: ["canned-acl"] },
  "public-read": { source: [], target: ["canned-acl"] },
  copy: { source: ["object-acl"], target: ["object-acl"] },
  add: { source: ["object-acl"], target: ["object-acl", "grants"] },
  replace: { source: [], target: ["grants"] },
};

/** Who may read the copies. */
export function CopyAccess(props: CopyProps) {
  const { faults, copy, set, source, target } = props;
  const t = useT();
  const [isMore, setMore] = useState(!USUAL.includes(copy.access));
  const choices = isMore || !USUAL.includes(copy.access) ? ACCESS_CHOICES : USUAL;
  return (
    <SpaceBetween size="m">
      <StepField name="operation.cos_put_object_copy.access" faults={faults}>
        <RadioGroup
          value={copy.access}
          items={choices.map((value) => {
            const refused = refusalOf(value, source, target);
            return {
              value,
              label: t(`op.access.${value}`),
              description: descriptionOf(value, { refused, target, t }),
              disabled: refused !== undefined && copy.access !== value,
            };
          })}
          onChange={({ detail }) => {
            const chosen = ACCESS_CHOICES.find((each) => each === detail.value);
            if (chosen) set({ access: chosen });
          }}
        />
      </StepField>
      {choices === USUAL && (
        <Link
          onFollow={() => {
            setMore(true);
          }}
        >
          {t("op.access-more")}
        </Link>
      )}
      {copy.access === "public-read" && (
        <Alert type="warning" header={t("op.public")}>
          {t("op.public-text")}
        </Alert>
      )}
      {(copy.access === "add" || copy.access === "replace") && <Grants {...props} />}
    </SpaceBetween>
  );
}

function Grants({ faults, copy, set }: CopyProps) {
  const say = useSay();
  const found = listFaults(faults, GRANTS, "grantee.identifier");
  return (
    <StepField name={GRANTS} faults={found.whole} stretch>
      <GrantsEditor
        grants={copy.access_control_grants}
        faultOf={(index, part) => {
          const path = part === "identifier" ? "grantee.identifier" : part;
          return found.ofRow(index, path).map(say).join(" ") || undefined;
        }}
        onChange={(grants) => {
          set({ access_control_grants: grants });
        }}
      />
    </StepField>
  );
}

/** The store that would refuse a job with this choice. */
function refusalOf(choice: AccessChoice, source?: Offer, target?: Offer): Offer | undefined {
  const needs = NEEDS[choice];
  if ((choice === "private" || choice === "public-read") && target && !target.canned_acls.includes(choice))
    return target;
  const refusing = needs.source.map((option) => refusedBy(option, source));
  return [...refusing, ...needs.target.map((option) => refusedBy(option, target))].find((offer) => offer !== undefined);
}

interface Ground {
  refused: Offer | undefined;
  target: Offer | undefined;
  t: Translate;
}

/** What a choice means, and whether it costs more than it does elsewhere; or why it cannot be chosen. */
function descriptionOf(choice: AccessChoice, { refused, target, t }: Ground): string {
  if (refused) return t("op.refused", { region: refused.name });
  const isDearer = NEEDS[choice].target.some((option) => isEmulated(target, option));
  const text = t(`op.access-text.${choice}`);
  return isDearer ? t("op.both", { first: text, second: t("op.emulated") }) : text;
}
