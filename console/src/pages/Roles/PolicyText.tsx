import CopyToClipboard from "@cloudscape-design/components/copy-to-clipboard";
import Box from "@cloudscape-design/components/box";
import SpaceBetween from "@cloudscape-design/components/space-between";

import type { Schemas } from "../../api/types";
import { useT } from "../../i18n";
import { type RoleProvider, takesSts } from "./roleForm";

interface PoliciesProps {
  policies: Schemas["PoliciesView"];
  provider: RoleProvider;
}

/** What to paste at the provider. A role with keys of its own is assumed by nobody: it has no trust policy. */
export function Policies({ policies, provider }: PoliciesProps) {
  const t = useT();
  return (
    <SpaceBetween size="m">
      {takesSts(provider) && (
        <PolicyText
          title={t("roles.policy.trust")}
          text={t(`roles.policy.trust.${provider}`)}
          policy={policies.trust}
        />
      )}
      <PolicyText
        title={t("roles.policy.permission")}
        text={t(`roles.policy.permission.${provider}`)}
        policy={policies.permission}
      />
    </SpaceBetween>
  );
}

interface PolicyTextProps {
  title: string;
  text: string;
  policy: Record<string, unknown>;
}

function PolicyText({ title, text, policy }: PolicyTextProps) {
  const t = useT();
  const json = JSON.stringify(policy, null, 2);
  return (
    <section>
      <SpaceBetween size="xxs">
        <div className="roles-policy-head">
          <Box variant="h3" padding="n">
            {title}
          </Box>
          <CopyToClipboard
            copyButtonText={t("copy.do")}
            copyButtonAriaLabel={t("roles.policy.copy", { title })}
            copySuccessText={t("copy.done")}
            copyErrorText={t("copy.failed")}
            textToCopy={json}
          />
        </div>
        <Box color="text-body-secondary" fontSize="body-s">
          {text}
        </Box>
        <pre className="mono roles-policy">{json}</pre>
      </SpaceBetween>
    </section>
  );
}
