import ColumnLayout from "@cloudscape-design/components/column-layout";
import Container from "@cloudscape-design/components/container";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";

import { told } from "../api/client";
import { useApi } from "../api/context";
import { useCapabilities, useMay, useSession } from "../api/queries";
import { useFlashes } from "../components/flashes";
import { PasswordForm } from "../components/PasswordForm";
import { ResourceTable } from "../components/ResourceTable";
import { Page } from "../components/Shell";
import { type TextKey, useSpeech, useT } from "../i18n";
import { DENSITIES, LANGUAGES, THEMES, TIME_ZONES, usePreferences } from "../preferences";
import { ForPrograms, Keyboard } from "./SettingsHelp";

export function Settings() {
  const t = useT();
  const may = useMay();
  const { flash } = useFlashes();
  return (
    <Page title={t("nav.settings")} crumbs={[{ text: t("nav.title"), to: "/jobs" }, { text: t("nav.settings") }]}>
      <SpaceBetween size="l">
        <Header variant="h1">{t("nav.settings")}</Header>
        <Container
          header={
            <Header variant="h2" description={t("settings.text")}>
              {t("settings.appearance")}
            </Header>
          }
        >
          <ColumnLayout columns={2}>
            <Chosen name="language" choices={LANGUAGES} textOf={(each) => `language.${each}`} />
            <Chosen name="theme" choices={THEMES} textOf={(each) => `theme.${each}`} />
            <Chosen name="density" choices={DENSITIES} textOf={(each) => `density.${each}`} />
            <Chosen name="timeZone" choices={TIME_ZONES} textOf={(each) => `timeZone.${each}`} />
          </ColumnLayout>
        </Container>
        <Container header={<Header variant="h2">{t("password.title")}</Header>}>
          <PasswordForm
            onChanged={() => {
              flash({ type: "success", content: ({ t }) => t("password.changed") });
            }}
          />
        </Container>
        <Keyboard />
        <Service />
        <ForPrograms />
        {may("list_settings") && <ServiceSettings />}
      </SpaceBetween>
    </Page>
  );
}

interface ChosenProps<Choice extends string> {
  name: "language" | "theme" | "density" | "timeZone";
  choices: readonly Choice[];
  textOf: (choice: Choice) => TextKey;
}

function Chosen<Choice extends string>({ name, choices, textOf }: ChosenProps<Choice>) {
  const t = useT();
  const { preferences, prefer } = usePreferences();
  const options = choices.map((value) => ({ value, label: t(textOf(value)) }));
  return (
    <FormField label={t(`settings.${name}`)}>
      <Select
        selectedOption={options.find(({ value }) => value === preferences[name]) ?? null}
        options={options}
        onChange={({ detail }) => {
          prefer({ [name]: detail.selectedOption.value });
        }}
      />
    </FormField>
  );
}

function Service() {
  const t = useT();
  const session = useSession().data;
  const version = useCapabilities().data?.version;
  return (
    <Container header={<Header variant="h2">{t("settings.service")}</Header>}>
      <KeyValuePairs
        columns={4}
        items={[
          { label: t("settings.version"), value: version ?? "-" },
          { label: t("settings.user"), value: session?.user ?? "-" },
          { label: t("settings.role"), value: session ? t(`role.${session.role}`) : "-" },
          { label: t("settings.account"), value: session?.account.name ?? "-" },
        ]}
      />
    </Container>
  );
}

/** What the service goes by, as far as it is no secret. It is changed in the settings file. */
function ServiceSettings() {
  const t = useT();
  const api = useApi();
  return (
    <ResourceTable
      title={t("settings.list")}
      description={t("settings.list.text")}
      queryKey={["settings"]}
      load={async () => ({ items: (await told(api.GET("/settings"))).items, next_cursor: null })}
      idOf={(setting) => setting.name}
      empty={{ title: t("settings.list.empty") }}
      columns={[
        {
          id: "name",
          header: t("settings.name"),
          minWidth: 260,
          cell: (setting) => <span className="mono">{setting.name}</span>,
          isRowHeader: true,
        },
        { id: "value", header: t("settings.value"), cell: (setting) => String(setting.value) || "-" },
        {
          id: "origin",
          minWidth: 120,
          header: t("origin.title"),
          cell: (setting) => t(setting.is_default ? "settings.default" : "origin.settings"),
        },
        { id: "text", header: t("keys.description"), cell: (setting) => <Described setting={setting} /> },
      ]}
    />
  );
}

interface DescribedProps {
  setting: { name: string; description: string };
}

/** Names of the machine stand between backticks. A setting that the console does not know is described in English. */
function Described({ setting: { name, description } }: DescribedProps) {
  const { t, has } = useSpeech();
  const key = `setting.${name}`;
  const isKnown = has(key);
  return (
    <span {...(isKnown ? {} : { lang: "en" })}>
      {(isKnown ? t(key) : description).split("`").map((part, index) =>
        index % 2 === 0 ? (
          part
        ) : (
          <code key={index} className="mono">
            {part}
          </code>
        ),
      )}
    </span>
  );
}
