import Button from "@cloudscape-design/components/button";
import Checkbox from "@cloudscape-design/components/checkbox";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { told } from "../../api/client";
import { useApi } from "../../api/context";
import { useMay, useSession } from "../../api/queries";
import type { Schemas } from "../../api/types";
import { ConfirmedCall } from "../../components/ConfirmedCall";
import { errorTextOf } from "../../components/faults";
import { FormModal } from "../../components/FormModal";
import { RelativeTime, useNow } from "../../components/RelativeTime";
import { ResourceTable } from "../../components/ResourceTable";
import { SecretModal } from "../../components/SecretModal";
import { useSpeech, useT } from "../../i18n";
import { OwnerCell, useOwnedList } from "./OwnerFilter";
import { queryOf } from "./owners";
import { UserSelect } from "./UserSelect";

type Token = Schemas["TokenView"];
type Scope = Schemas["TokenScope"];
const SCOPES: readonly Scope[] = ["jobs:read", "jobs:write", "admin"];

/** What scripts call the API with. */
export function Tokens() {
  const { t, language } = useSpeech();
  const words = new Intl.ListFormat(language);
  const may = useMay();
  const api = useApi();
  const list = useOwnedList({ ofUsers: true });
  const [selected, setSelected] = useState<Token | null>(null);
  const [asked, setAsked] = useState<"create" | "revoke" | null>(null);
  const [fresh, setFresh] = useState<string | null>(null);
  const close = () => {
    setAsked(null);
  };
  return (
    <>
      <ResourceTable
        title={t("tokens.title")}
        description={t("tokens.text")}
        queryKey={["tokens", list.owner]}
        load={(cursor) =>
          told(api.GET("/tokens", { params: { query: { ...queryOf(list.owner), cursor, limit: 100 } } }))
        }
        idOf={(token) => token.id}
        filter={list.filter}
        empty={list.emptyFiltered ?? { title: t("tokens.empty"), text: t("tokens.empty.text") }}
        {...(may("create_token") && { selected, onSelect: setSelected })}
        columns={[
          {
            id: "description",
            header: t("keys.description"),
            cell: (token) => token.description || token.id,
            isRowHeader: true,
          },
          {
            id: "user",
            header: t("keys.user"),
            cell: (token) => <OwnerCell of={token} isAccountShown={list.seesAccounts} />,
          },
          {
            id: "scopes",
            minWidth: 170,
            header: t("tokens.scopes"),
            cell: (token) => words.format(token.scopes.map((scope) => t(`scope.${scope}`))),
          },
          { id: "state", header: t("users.state"), minWidth: 130, cell: (token) => <TokenState token={token} /> },
          {
            id: "created",
            header: t("users.created"),
            minWidth: 110,
            cell: (token) => <RelativeTime at={token.created_at} isShort />,
          },
          {
            id: "expires",
            minWidth: 110,
            header: t("tokens.expires"),
            cell: (token) => (token.expires_at ? <RelativeTime at={token.expires_at} isShort /> : t("keys.never")),
          },
          {
            id: "used",
            minWidth: 110,
            header: t("keys.used"),
            cell: (token) => (token.last_used_at ? <RelativeTime at={token.last_used_at} isShort /> : t("keys.never")),
          },
        ]}
        actions={
          may("create_token") && (
            <SpaceBetween direction="horizontal" size="xs">
              <Button
                disabled={!selected || selected.is_revoked}
                onClick={() => {
                  setAsked("revoke");
                }}
              >
                {t("tokens.revoke")}
              </Button>
              <Button
                variant="primary"
                onClick={() => {
                  setAsked("create");
                }}
              >
                {t("tokens.create")}
              </Button>
            </SpaceBetween>
          )
        }
      />
      {asked === "create" && (
        <CreateToken
          onClose={close}
          onMade={(text) => {
            close();
            setFresh(text);
          }}
        />
      )}
      {asked === "revoke" && selected && <Revoke token={selected} onClose={close} />}
      {fresh && (
        <SecretModal
          title={t("tokens.made")}
          shown={[{ label: t("tokens.token"), value: fresh }]}
          onClose={() => {
            setFresh(null);
          }}
        />
      )}
    </>
  );
}

function TokenState({ token }: { token: Token }) {
  const t = useT();
  const now = useNow();
  if (token.is_revoked) return <StatusIndicator type="stopped">{t("tokens.revoked")}</StatusIndicator>;
  if (token.expires_at && Date.parse(token.expires_at) <= now) {
    return <StatusIndicator type="stopped">{t("tokens.expired")}</StatusIndicator>;
  }
  return <StatusIndicator type="success">{t("users.enabled")}</StatusIndicator>;
}

function CreateToken({ onClose, onMade }: { onClose: () => void; onMade: (text: string) => void }) {
  const t = useT();
  const api = useApi();
  const queries = useQueryClient();
  const [user, setUser] = useState(useSession().data?.user ?? "");
  const [description, setDescription] = useState("");
  const [scopes, setScopes] = useState<readonly Scope[]>(["jobs:read"]);
  const [days, setDays] = useState("90");
  const create = useMutation({
    mutationFn: () =>
      told(
        api.POST("/tokens", {
          body: { user, description, scopes: [...scopes], lasts_days: days.trim() === "" ? null : Number(days) },
        }),
      ),
    onSuccess: ({ text }) => {
      onMade(text); // what is told once comes first
      return queries.invalidateQueries({ queryKey: ["tokens"] });
    },
  });
  const areDaysWrong = days.trim() !== "" && !(Number(days) > 0 && Number(days) <= 3650);
  return (
    <FormModal
      title={t("tokens.create")}
      action={t("tokens.create.do")}
      isPending={create.isPending}
      error={create.error}
      isShown={({ path }) => ["description", "lasts_days"].includes(path)}
      isDisabled={scopes.length === 0 || areDaysWrong}
      onSubmit={create.mutate}
      onClose={onClose}
    >
      <UserSelect value={user} onChange={setUser} />
      <FormField
        label={t("keys.description")}
        description={t("keys.description.text")}
        errorText={errorTextOf(create.error, "description")}
      >
        <Input
          value={description}
          onChange={({ detail }) => {
            setDescription(detail.value);
          }}
        />
      </FormField>
      <FormField label={t("tokens.scopes")} description={t("tokens.scopes.text")}>
        <SpaceBetween size="xs">
          {SCOPES.map((scope) => (
            <Checkbox
              key={scope}
              checked={scopes.includes(scope)}
              onChange={({ detail }) => {
                setScopes(SCOPES.filter((each) => (each === scope ? detail.checked : scopes.includes(each))));
              }}
            >
              {t(`scope.${scope}`)}
            </Checkbox>
          ))}
        </SpaceBetween>
      </FormField>
      <FormField
        label={t("tokens.days")}
        description={t("tokens.days.text")}
        errorText={areDaysWrong ? t("tokens.days.wrong") : errorTextOf(create.error, "lasts_days")}
      >
        <Input
          value={days}
          inputMode="numeric"
          onChange={({ detail }) => {
            setDays(detail.value);
          }}
        />
      </FormField>
    </FormModal>
  );
}

function Revoke({ token, onClose }: { token: Token; onClose: () => void }) {
  const t = useT();
  const api = useApi();
  return (
    <ConfirmedCall
      title={t("tokens.revoke")}
      action={t("tokens.revoke.do")}
      effect={t("tokens.revoke.effect", { name: token.description || token.id, user: token.user })}
      queryKey={["tokens"]}
      call={() => told(api.DELETE("/tokens/{token_id}", { params: { path: { token_id: token.id } } }))}
      onDone={onClose}
      onClose={onClose}
    />
  );
}
