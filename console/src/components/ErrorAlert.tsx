import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import SpaceBetween from "@cloudscape-design/components/space-between";

import { ApiError, NO_ANSWER, secondsToWait } from "../api/errors";
import type { Fault } from "../api/types";
import { useSpeech, useT } from "../i18n";
import { CopyText } from "./CopyText";
import { useNow } from "./RelativeTime";

interface ErrorAlertProps {
  error: unknown;
  /** What was tried, as the heading; else what kind of refusal it was. */
  header?: string;
  onRetry?: () => void;
  /** Faults that are shown elsewhere, beside their fields. */
  isShown?: (fault: Fault) => boolean;
}

/** A refusal: what the service said, in its words, each fault with its way out, and a hint in the user's language. */
export function ErrorAlert({ error, header, onRetry, isShown }: ErrorAlertProps) {
  const t = useT();
  return (
    <Alert
      type="error"
      header={header ?? t(kindOf(error instanceof ApiError ? error : null))}
      action={onRetry && <Button onClick={onRetry}>{t("error.retry")}</Button>}
    >
      <ErrorText error={error} isKindTold={header === undefined} {...(isShown && { isShown })} />
    </Alert>
  );
}

interface ErrorTextProps extends Pick<ErrorAlertProps, "error" | "isShown"> {
  /** Whether the heading says what kind of refusal it was. */
  isKindTold?: boolean;
}

/** What stands in it. */
export function ErrorText({ error, isKindTold = false, isShown = () => false }: ErrorTextProps) {
  const { t, has, retold } = useSpeech();
  const refused = error instanceof ApiError ? error : null;
  const hint = `error.hint.${refused?.code ?? ""}`;
  const faults = refused?.faults.filter((fault) => !isShown(fault)) ?? [];
  return (
    <SpaceBetween size="xs">
      {refused?.code === NO_ANSWER && !isKindTold && <Box>{t("error.no-answer")}</Box>}
      {has(hint) && <Box>{t(hint)}</Box>}
      {refused?.retryAfterSeconds != null && <Wait error={refused} />}
      {refused?.code !== NO_ANSWER && (
        <Box>
          {refused && <Box variant="code">{refused.code}</Box>} {refused ? retold(refused.message) : String(error)}
        </Box>
      )}
      {faults.length > 0 && (
        <ul>
          {faults.map((fault) => (
            <li key={`${fault.path} ${fault.problem}`}>
              <FaultText fault={fault} />
            </li>
          ))}
        </ul>
      )}
      {refused !== null && refused.requestId !== "" && (
        <Box fontSize="body-s">
          {t("error.request-id")} <CopyText text={refused.requestId} />
        </Box>
      )}
    </SpaceBetween>
  );
}

/** Counts the seconds down that the service asks to wait for. A screen reader says them when it comes by, not each. */
function Wait({ error }: { error: ApiError }) {
  const { t } = useSpeech();
  const seconds = secondsToWait(error, useNow(1_000));
  return <span role="timer">{seconds > 0 ? t("error.wait", { seconds }) : t("error.wait.over")}</span>;
}

export function FaultText({ fault }: { fault: Fault }) {
  const { t, retold } = useSpeech();
  return (
    <>
      {fault.path && <Box variant="code">{fault.path}</Box>} {retold(fault.problem)}
      {fault.value && (
        <>
          {" "}
          (<Box variant="code">{fault.value}</Box>)
        </>
      )}
      {fault.way_out && t("error.way-out", { way: retold(fault.way_out) })}
    </>
  );
}

function kindOf(refused: ApiError | null) {
  if (!refused) return "error.unknown";
  if (refused.status === 0) return "error.no-answer";
  if (refused.status === 403) return "error.forbidden";
  if (refused.status === 404) return "error.not-found";
  if (refused.status === 429 || refused.status === 503) return "error.busy";
  if (refused.status >= 500) return "error.service";
  return "error.refused";
}
