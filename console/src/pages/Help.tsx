import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import Link from "@cloudscape-design/components/link";
import SpaceBetween from "@cloudscape-design/components/space-between";

import { Page } from "../components/Shell";
import { useT } from "../i18n";

const STEPS = ["list", "role", "create", "confirm", "run", "report"] as const;
const MANIFESTS = ["cos", "s3", "csv"] as const;
/** As lists look that the service takes. */
const ROWS = "photos-1250000000,2025/08/a%20b.jpg\nphotos-1250000000,2025/08/c.jpg\n";
const WAYS = [
  ["/jobs/create", "jobs.create"],
  ["/roles", "nav.roles"],
  ["/settings", "nav.settings"],
] as const;

/** What somebody needs to know who has not made a job yet. It stands here, for there may be no way to the Internet. */
export function Help() {
  const t = useT();
  return (
    <Page title={t("nav.help")} crumbs={[{ text: t("nav.title"), to: "/jobs" }, { text: t("nav.help") }]}>
      <SpaceBetween size="l">
        <Header variant="h1" description={t("help.text")}>
          {t("nav.help")}
        </Header>
        <Container header={<Header variant="h2">{t("help.job")}</Header>}>
          <ol>
            {STEPS.map((step) => (
              <li key={step}>
                <Box variant="strong">{t(`help.step.${step}`)}</Box> {t(`help.step.${step}.text`)}
              </li>
            ))}
          </ol>
        </Container>
        <Container header={<Header variant="h2">{t("help.manifest")}</Header>}>
          <SpaceBetween size="s">
            <ul>
              {MANIFESTS.map((manifest) => (
                <li key={manifest}>{t(`help.manifest.${manifest}`)}</li>
              ))}
            </ul>
            <Box variant="pre">{ROWS}</Box>
            <Box color="text-body-secondary">{t("help.manifest.encoding")}</Box>
          </SpaceBetween>
        </Container>
        <Container header={<Header variant="h2">{t("help.more")}</Header>}>
          <ul>
            {WAYS.map(([to, key]) => (
              <li key={to}>
                <Link variant="primary" href={`/ui${to}`}>
                  {t(key)}
                </Link>{" "}
                {t(`help.more.${key}`)}
              </li>
            ))}
          </ul>
        </Container>
      </SpaceBetween>
    </Page>
  );
}
