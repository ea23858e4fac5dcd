import ExpandableSection from "@cloudscape-design/components/expandable-section";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import RadioGroup from "@cloudscape-design/components/radio-group";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { told } from "../../api/client";
import { useApi } from "../../api/context";
import { useCapabilities } from "../../api/queries";
import type { Region } from "../../api/types";
import { errorTextOf } from "../../components/faults";
import { useFlashes } from "../../components/flashes";
import { FormModal } from "../../components/FormModal";
import { useT } from "../../i18n";
import { defaultProfile, OPTIONS, profileOf } from "./overrides";
import { isOf, OverridesEditor } from "./OverridesEditor";
import { draftOf, EMPTY, faultyNumbers, formOf, type RegionDraft } from "./regionForm";

const MAIN = ["endpoint"] as const;
const MORE = [
  "signing_region",
  "storage_classes",
  "requests_per_second",
  "bytes_per_second",
  "max_connections",
] as const;
type TextField = (typeof MAIN)[number] | (typeof MORE)[number] | "name";

/** Makes a region, or changes one. */
export function RegionEditor({ region, onClose }: { region?: Region; onClose: () => void }) {
  const t = useT();
  const [draft, setDraft] = useState<RegionDraft>(() => (region ? draftOf(region) : EMPTY));
  const save = useSaveRegion(region, onClose);
  const profiles = useCapabilities().data?.profiles ?? [];
  const faulty = faultyNumbers(draft);
  const change = (part: Partial<RegionDraft>) => {
    setDraft({ ...draft, ...part });
  };
  const field = (name: TextField) => (
    <FormField
      key={name}
      label={t(`regions.${name}`)}
      description={t(`regions.${name}.text`)}
      errorText={faulty.some((each) => each === name) ? t("regions.number.wrong") : errorTextOf(save.error, name)}
    >
      <Input
        value={draft[name]}
        autoComplete={false}
        spellcheck={false}
        disabled={name === "name" && region !== undefined}
        onChange={({ detail }) => {
          change({ [name]: detail.value });
        }}
      />
    </FormField>
  );
  return (
    <FormModal
      title={region ? t("regions.change-of", { name: region.name }) : t("regions.create")}
      action={region ? t("form.save") : t("regions.create.do")}
      isPending={save.isPending}
      error={save.error}
      size="large"
      isShown={({ path }) => path in EMPTY || OPTIONS.some((option) => isOf(path, option))}
      isDisabled={draft.name.trim() === "" || faulty.length > 0}
      onSubmit={() => {
        save.mutate(draft);
      }}
      onClose={onClose}
    >
      {field("name")}
      <FormField label={t("regions.provider")}>
        <RadioGroup
          value={draft.provider}
          items={(["cos", "s3"] as const).map((value) => ({
            value,
            label: t(`regions.provider.${value}`),
            description: t(`regions.provider.${value}.text`),
          }))}
          onChange={({ detail }) => {
            change({ provider: detail.value === "cos" ? "cos" : "s3" });
          }}
        />
      </FormField>
      {MAIN.map(field)}
      <ExpandableSection headerText={t("regions.more")}>
        <SpaceBetween size="m">
          <FormField label={t("regions.addressing")}>
            <RadioGroup
              value={draft.addressing}
              items={(["path", "virtual-host"] as const).map((value) => ({
                value,
                label: t(`regions.addressing.${value}`),
              }))}
              onChange={({ detail }) => {
                change({ addressing: detail.value === "path" ? "path" : "virtual-host" });
              }}
            />
          </FormField>
          <FormField
            label={t("regions.profile")}
            description={t("regions.profile.text")}
            errorText={errorTextOf(save.error, "profile")}
          >
            <ProfileSelect draft={draft} names={profiles.map(({ name }) => name)} onChange={change} />
          </FormField>
          {MORE.map(field)}
        </SpaceBetween>
      </ExpandableSection>
      <ExpandableSection
        headerText={t("regions.overrides")}
        headerDescription={t("regions.offered.own", { count: Object.keys(draft.profile_overrides).length })}
        defaultExpanded={Object.keys(draft.profile_overrides).length > 0}
      >
        <OverridesEditor
          overrides={draft.profile_overrides}
          profile={profileOf(profiles, draft.profile || defaultProfile(draft.provider))}
          error={save.error}
          onChange={(profile_overrides) => {
            change({ profile_overrides });
          }}
        />
      </ExpandableSection>
    </FormModal>
  );
}

interface ProfileSelectProps {
  draft: RegionDraft;
  names: readonly string[];
  onChange: (part: Partial<RegionDraft>) => void;
}

function ProfileSelect({ draft: { profile, provider }, names, onChange }: ProfileSelectProps) {
  const t = useT();
  const options = [
    { value: "", label: t("regions.profile.default", { name: defaultProfile(provider) }) },
    ...names.map((name) => ({ value: name, label: name })),
  ];
  return (
    <Select
      options={options}
      selectedOption={options.find(({ value }) => value === profile) ?? { value: profile, label: profile }}
      onChange={({ detail }) => {
        onChange({ profile: detail.selectedOption.value ?? "" });
      }}
    />
  );
}

function useSaveRegion(region: Region | undefined, onClose: () => void) {
  const api = useApi();
  const queries = useQueryClient();
  const { flash } = useFlashes();
  return useMutation({
    mutationFn: (draft: RegionDraft) => {
      const { name, ...change } = formOf(draft);
      if (!region) return told(api.POST("/regions", { body: { name, ...change } }));
      return told(api.PATCH("/regions/{region}", { params: { path: { region: region.name } }, body: change }));
    },
    onSuccess: async (saved) => {
      await Promise.all([
        queries.invalidateQueries({ queryKey: ["regions"] }),
        queries.invalidateQueries({ queryKey: ["capabilities"] }),
      ]);
      flash({ type: "success", content: ({ t }) => t("regions.saved", { name: saved.name }) });
      onClose();
    },
  });
}
