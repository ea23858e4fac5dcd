import Alert from "@cloudscape-design/components/alert";
import Link from "@cloudscape-design/components/link";
import { useEffect, useRef } from "react";

import { useT } from "../../i18n";
import { useSay } from "./Field";
import type { Field, FieldFault } from "./model";

interface FaultSummaryProps {
  faults: readonly FieldFault[];
  /** Another number each time that the user is to look here. */
  attention: number;
  onShow: (field: Field) => void;
}

/** All that is wrong, each with a link that leads to its field. */
export function FaultSummary({ faults, attention, onShow }: FaultSummaryProps) {
  const t = useT();
  const say = useSay();
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (attention === 0) return;
    place.current?.focus({ preventScroll: true });
    place.current?.scrollIntoView({ block: "center" });
  }, [attention]);
  if (faults.length === 0) return null;
  return (
    <div ref={place} tabIndex={-1} role="alert">
      <Alert type="error" header={t("create.faults", { faults: faults.length })}>
        <ul>
          {faults.map((fault) => (
            <li key={`${fault.path} ${say(fault)}`}>
              <Link
                href={`#field-${fault.field}`}
                onFollow={(event) => {
                  event.preventDefault();
                  onShow(fault.field);
                }}
              >
                {t(`field.${fault.field}`)}
              </Link>
              : {say(fault)}
            </li>
          ))}
        </ul>
      </Alert>
    </div>
  );
}
