import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import Container from "@cloudscape-design/components/container";

import { Empty } from "../components/Empty";
import { Page } from "../components/Shell";
import { useT } from "../i18n";

export function NotFound() {
  const t = useT();
  return (
    <Page title={t("not-found.title")}>
      <Container header={<Header variant="h1">{t("not-found.title")}</Header>}>
        <Empty title={t("not-found.text")} actions={<Button href="/ui/jobs">{t("nav.jobs")}</Button>} />
      </Container>
    </Page>
  );
}
