import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import Link from "@cloudscape-design/components/link";

import { CopyText } from "../components/CopyText";
import { useT } from "../i18n";

const API = "/api/v1";
const DOCUMENT = `${API}/openapi.json`;
const COMMAND = "cosbatch --help";
/** What is pressed, as it stands on the keys; what that does is the text of the name. */
const KEYS = [
  ["move", ["tab", "shift-tab"]],
  ["skip", ["tab", "enter"]],
  ["do", ["enter"]],
  ["tick", ["space"]],
  ["choose", ["arrows"]],
  ["leave", ["escape"]],
] as const;

/** What the console does by keys. */
export function Keyboard() {
  const t = useT();
  return (
    <Container
      header={
        <Header variant="h2" description={t("keyboard.text")}>
          {t("keyboard.title")}
        </Header>
      }
    >
      <KeyValuePairs
        columns={3}
        minColumnWidth={220}
        items={KEYS.map(([name, keys]) => ({
          label: t(`keyboard.${name}`),
          value: keys.map((key, index) => (
            <span key={key}>
              {index > 0 && <> {t(name === "skip" ? "keyboard.then" : "keyboard.or")} </>}
              <kbd className="mono">{t(`keyboard.key.${key}`)}</kbd>
            </span>
          )),
        }))}
      />
    </Container>
  );
}

/** How programs do what the console does. */
export function ForPrograms() {
  const t = useT();
  return (
    <Container
      header={
        <Header variant="h2" description={t("programs.text")}>
          {t("programs.title")}
        </Header>
      }
    >
      <KeyValuePairs
        columns={3}
        minColumnWidth={220}
        items={[
          { label: t("programs.api"), value: <CopyText text={new URL(API, globalThis.location.origin).href} /> },
          {
            label: t("programs.document"),
            value: (
              <Link href={DOCUMENT} target="_blank">
                {t("programs.document.open")}
              </Link>
            ),
          },
          {
            label: t("programs.token"),
            value: <Link href="/ui/users?tab=tokens">{t("programs.token.make")}</Link>,
          },
          { label: t("programs.command"), value: <Box variant="code">{COMMAND}</Box> },
        ]}
      />
    </Container>
  );
}
