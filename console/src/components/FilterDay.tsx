import Alert from "@cloudscape-design/components/alert";
import Spinner from "@cloudscape-design/components/spinner";
import { useEffect, useState } from "react";

import { useT } from "../i18n";
import type { DayFormProps } from "./FilterDayForm";
import { usePart } from "./part";

import "./FilterDay.css";

const load = async () => (await import("./FilterDayForm")).DayForm;

/** Asks for a day, for the filter. */
export function FilterDay(props: DayFormProps) {
  const t = useT();
  const { Part, ask } = usePart(load);
  const [isMissing, setMissing] = useState(false);
  useEffect(() => {
    ask().catch(() => {
      setMissing(true);
    });
  }, [ask]);
  return (
    <div className="filter-day">
      {Part ? (
        <Part {...props} />
      ) : isMissing ? (
        <Alert type="error">{t("error.part")}</Alert>
      ) : (
        <>
          <Spinner /> <span className="unseen">{t("shell.loading")}</span>
        </>
      )}
    </div>
  );
}
