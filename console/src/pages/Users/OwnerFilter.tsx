import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useSearchParams } from "react-router";

import { useAccounts, useUsers } from "../../api/people";
import { useMay, useSession } from "../../api/queries";
import { useT } from "../../i18n";
import { type Owner, ownerOf, withOwner } from "./owners";

import "./owners.css";

export interface OwnedList {
  owner: Owner;
  /** Whether what is listed may be of several accounts. */
  seesAccounts: boolean;
  /** To choose by; undefined for who sees no others. */
  filter: ReactNode;
  /** What an empty list says; undefined where it is the whole list. */
  emptyFiltered: { title: string; actions: ReactNode } | undefined;
}

/** Whose the list is to be, in the page's address. `ofUsers`: what is listed belongs to a user each. */
export function useOwnedList({ ofUsers }: { ofUsers: boolean }): OwnedList {
  const t = useT();
  const seesAccounts = useSession().data?.is_service_operator ?? false;
  const seesUsers = useMay()("list_users") && ofUsers;
  const [search, setSearch] = useSearchParams();
  const owner = ownerOf(search, { accounts: seesAccounts, users: seesUsers });
  const change = (asked: Partial<Owner>) => {
    setSearch((before) => withOwner(before, asked), { replace: true });
  };
  const clear = () => {
    change({ account: "" });
  };
  return {
    owner,
    seesAccounts,
    filter: (seesAccounts || seesUsers) && (
      <SpaceBetween direction="horizontal" size="xs">
        {seesAccounts && <AccountFilter owner={owner} onChange={change} />}
        {seesUsers && <UserFilter owner={owner} onChange={change} />}
      </SpaceBetween>
    ),
    emptyFiltered:
      owner.account || owner.user
        ? { title: t("filter.none"), actions: <Button onClick={clear}>{t("jobs.clear")}</Button> }
        : undefined,
  };
}

interface OwnerCellProps {
  of: Owner;
  isAccountShown: boolean;
}

/** Whose it is; below, of which account, for who sees several. */
export function OwnerCell({ of: { user, account }, isAccountShown }: OwnerCellProps) {
  return (
    <>
      {user}
      {isAccountShown && (
        <Box fontSize="body-s" color="text-body-secondary">
          {account}
        </Box>
      )}
    </>
  );
}

interface FilterProps {
  owner: Owner;
  onChange: (asked: Partial<Owner>) => void;
}

function AccountFilter({ owner, onChange }: FilterProps) {
  const t = useT();
  return (
    <NameSelect
      label={t("users.account")}
      all={t("owner.account.all")}
      value={owner.account}
      found={useAccounts()}
      onChange={(account) => {
        onChange({ account });
      }}
    />
  );
}

function UserFilter({ owner, onChange }: FilterProps) {
  const t = useT();
  return (
    <NameSelect
      label={t("keys.user")}
      all={t("owner.user.all")}
      value={owner.user}
      found={useUsers(owner.account)}
      onChange={(user) => {
        onChange({ user });
      }}
    />
  );
}

interface NameSelectProps {
  label: string;
  /** What the first choice is called, which leaves out nothing. */
  all: string;
  value: string;
  found: UseQueryResult<{ name: string }[]>;
  onChange: (name: string) => void;
}

function NameSelect({ label, all, value, found, onChange }: NameSelectProps) {
  const t = useT();
  const options = [{ value: "", label: all }, ...(found.data ?? []).map(({ name }) => ({ value: name, label: name }))];
  return (
    <div className="owner-select">
      <Select
        inlineLabelText={label}
        selectedOption={options.find((option) => option.value === value) ?? { value, label: value }}
        options={options}
        filteringType="auto"
        filteringAriaLabel={label}
        empty={t("filter.none")}
        statusType={found.isPending ? "loading" : found.isError ? "error" : "finished"}
        loadingText={t("shell.loading")}
        errorText={t("error.unknown")}
        recoveryText={t("error.retry")}
        onLoadItems={() => {
          if (found.isError) void found.refetch();
        }}
        onChange={({ detail }) => {
          onChange(detail.selectedOption.value ?? "");
        }}
      />
    </div>
  );
}
