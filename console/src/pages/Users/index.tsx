import ContentLayout from "@cloudscape-design/components/content-layout";
import Header from "@cloudscape-design/components/header";
import Tabs from "@cloudscape-design/components/tabs";
import { useSearchParams } from "react-router";

import { useMay, useSession } from "../../api/queries";
import { Page } from "../../components/Shell";
import { useT } from "../../i18n";
import { AccessKeys } from "./AccessKeys";
import { Accounts } from "./Accounts";
import { Tokens } from "./Tokens";
import { UserList } from "./UserList";

/** Who gets in, and with what. Who is no administrator sees the own keys and tokens. */
export function Users() {
  const t = useT();
  const may = useMay();
  const isOperator = useSession().data?.is_service_operator ?? false;
  const [search, setSearch] = useSearchParams();
  const tabs = [
    ...(may("list_users") ? [{ id: "users", label: t("users.title"), content: <UserList /> }] : []),
    { id: "keys", label: t("keys.title"), content: <AccessKeys /> },
    { id: "tokens", label: t("tokens.title"), content: <Tokens /> },
    ...(isOperator ? [{ id: "accounts", label: t("accounts.title"), content: <Accounts /> }] : []),
  ];
  const named = tabs.find(({ id }) => id === search.get("tab"));
  return (
    <Page title={t("nav.users")} crumbs={[{ text: t("nav.title"), to: "/jobs" }, { text: t("nav.users") }]}>
      <ContentLayout
        header={
          <Header variant="h1" description={t("users.text")}>
            {t("nav.users")}
          </Header>
        }
      >
        <Tabs
          tabs={tabs}
          activeTabId={(named ?? tabs[0])?.id ?? "keys"}
          onChange={({ detail }) => {
            setSearch(
              (before) => {
                const search = new URLSearchParams(before);
                search.set("tab", detail.activeTabId);
                return search;
              },
              { replace: true },
            );
          }}
        />
      </ContentLayout>
    </Page>
  );
}
