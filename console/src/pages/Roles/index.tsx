import Button from "@cloudscape-design/components/button";
import ButtonDropdown, { type ButtonDropdownProps } from "@cloudscape-design/components/button-dropdown";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { useSearchParams } from "react-router";

import "./roles.css";

import { told } from "../../api/client";
import { useApi } from "../../api/context";
import { useMay } from "../../api/queries";
import type { Role, Schemas } from "../../api/types";
import { ResourceTable } from "../../components/ResourceTable";
import { Page } from "../../components/Shell";
import { useT } from "../../i18n";
import { useRoleColumns } from "./columns";
import { CreateRole } from "./CreateRole";
import { DeleteRole } from "./DeleteRole";
import { returnOf } from "./roleForm";
import { RoleMade } from "./RoleMade";
import { RolePolicies } from "./RolePolicies";
import { RotateKey } from "./RotateKey";
import { TestRole } from "./TestRole";

type Asked = "test" | "policies" | "rotate" | "delete";

/** What jobs may act as: who gives the credentials, what they were found to allow, and which jobs use them. */
export function Roles() {
  const t = useT();
  const may = useMay();
  const api = useApi();
  const columns = useRoleColumns();
  const [search, setSearch] = useSearchParams();
  const [selected, setSelected] = useState<Role | null>(null);
  const [asked, setAsked] = useState<Asked | null>(null);
  const [made, setMade] = useState<Schemas["RoleMadeView"] | null>(null);
  const isCreating = search.has("create") && may("create_role") && !made;
  const showForm = (isShown: boolean) => {
    setSearch(
      (before) => {
        before.delete("create");
        if (isShown) before.set("create", "1");
        return before;
      },
      { replace: !isShown },
    );
  };
  const close = () => {
    setAsked(null);
  };
  const closeMade = () => {
    setMade(null);
    showForm(false);
  };
  const create = may("create_role") && (
    <Button
      variant="primary"
      onClick={() => {
        showForm(true);
      }}
    >
      {t("roles.create")}
    </Button>
  );
  return (
    <Page
      title={t("nav.roles")}
      contentType="table"
      crumbs={[{ text: t("nav.title"), to: "/jobs" }, { text: t("nav.roles") }]}
    >
      <ResourceTable
        level="h1"
        title={t("nav.roles")}
        description={t(may("test_role") ? "roles.text" : "roles.text.viewer")}
        queryKey={["roles", "page"]}
        load={(cursor) => told(api.GET("/roles", { params: { query: { cursor, limit: 100 } } }))}
        idOf={(role) => role.role_arn}
        empty={{ title: t("roles.empty"), text: t("roles.empty.text"), actions: create }}
        columns={columns}
        {...(may("test_role") && { selected, onSelect: setSelected })}
        actions={
          may("test_role") && (
            <SpaceBetween direction="horizontal" size="xs">
              <Button
                disabled={!selected}
                onClick={() => {
                  setAsked("test");
                }}
              >
                {t("roles.test")}
              </Button>
              <RoleMenu role={selected} onAsk={setAsked} />
              {create}
            </SpaceBetween>
          )
        }
      />
      {isCreating && (
        <CreateRole
          onClose={() => {
            showForm(false);
          }}
          onMade={setMade}
        />
      )}
      {made && (
        <RoleMade
          made={made}
          returnTo={returnOf(search)}
          onClose={closeMade}
          onTest={() => {
            setSelected(made.role);
            closeMade();
            setAsked("test");
          }}
        />
      )}
      {asked === "test" && selected && <TestRole role={selected} onClose={close} />}
      {asked === "policies" && selected && <RolePolicies role={selected} onClose={close} />}
      {asked === "rotate" && selected && (
        <RotateKey
          role={selected}
          onClose={close}
          onDone={(changed) => {
            setSelected(changed);
            setAsked("test");
          }}
        />
      )}
      {asked === "delete" && selected && (
        <DeleteRole
          role={selected}
          onClose={close}
          onDone={() => {
            close();
            setSelected(null);
          }}
        />
      )}
    </Page>
  );
}

function RoleMenu({ role, onAsk }: { role: Role | null; onAsk: (asked: Asked) => void }) {
  const t = useT();
  const may = useMay();
  const items: ButtonDropdownProps.Item[] = [
    { id: "policies", text: t("roles.policies") },
    { id: "rotate", text: t("roles.rotate") },
    {
      id: "delete",
      text: t("roles.delete"),
      disabled: role?.is_declared === true,
      ...(role?.is_declared && { disabledReason: t("origin.hint") }),
    },
  ];
  const offered = items.filter(({ id }) =>
    id === "policies" ? may("role_policies") : id === "rotate" ? may("replace_role_key") : may("delete_role"),
  );
  return (
    <ButtonDropdown
      disabled={!role}
      items={offered}
      onItemClick={({ detail }) => {
        onAsk(detail.id as Asked);
      }}
    >
      {t("table.actions")}
    </ButtonDropdown>
  );
}
