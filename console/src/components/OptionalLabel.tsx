import { useT } from "../i18n";

/** The label of a field that may be left empty. */
export function OptionalLabel({ text }: { text: string }) {
  const t = useT();
  return (
    <>
      {text} <i>{t("create.optional")}</i>
    </>
  );
}
