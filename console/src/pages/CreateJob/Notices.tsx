import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Link from "@cloudscape-design/components/link";

import { ApiError } from "../../api/errors";
import { ErrorAlert } from "../../components/ErrorAlert";
import { useT } from "../../i18n";
import { type Change, type Draft, type Field, fieldOf, isReplaced, type Look, type StepName } from "./model";
import type { Visit } from "./origin";
import type { KeptVisit } from "./useKept";

interface NoticesProps {
  kept: KeptVisit;
  visit: Visit;
  look: Look;
  step: StepName;
  draft: Draft;
  sendError: Error | null;
  onStartOver: () => void;
  onTokenRenewed: () => void;
  onChange: (part: Change) => void;
  onShow: (field: Field) => void;
}

/** What the user has to know of this visit before anything else. */
export function Notices({ kept, visit, look, step, draft, sendError, onTokenRenewed, ...on }: NoticesProps) {
  const t = useT();
  const { onStartOver, onChange, onShow } = on;
  const { origin } = visit;
  const { etag } = draft.manifest.location;
  const isChanged = step !== "manifest" && look.data !== undefined && etag !== "" && look.data.etag !== etag;
  return (
    <>
      {kept.isRestored && (
        <Alert
          type="info"
          dismissible
          onDismiss={kept.acceptRestored}
          action={<Button onClick={onStartOver}>{t("create.start-over")}</Button>}
        >
          {t("create.restored")}
        </Alert>
      )}
      {origin.kind === "clone" && step === visit.first && (
        <Alert type="info">
          {t(
            visit.etagBefore && look.data
              ? isChanged || look.data.etag !== visit.etagBefore
                ? "create.clone.changed"
                : "create.clone.same"
              : "create.clone",
          )}{" "}
          <Link href={`/ui/jobs/${origin.jobId}`}>{origin.jobId}</Link>
        </Alert>
      )}
      {origin.kind === "sample" && step === "review" && !kept.isDirty && (
        <Alert type="info">{t("create.sample")}</Alert>
      )}
      {isChanged && !isOfReplaced(sendError) && (
        <Alert
          type="warning"
          action={
            <Button
              onClick={() => {
                onChange({ manifest: { location: { etag: look.data?.etag ?? "" } } });
              }}
            >
              {t("create.etag.take")}
            </Button>
          }
        >
          {t("create.etag.changed")}
        </Alert>
      )}
      {sendError && <NotMade error={sendError} onTokenRenewed={onTokenRenewed} onShow={onShow} />}
    </>
  );
}

function isOfReplaced(error: Error | null): boolean {
  return error instanceof ApiError && isReplaced(error.faults);
}

/** `this ClientRequestToken belongs to job ID, which asks for something else`. */
const JOB_OF_TOKEN = /\bjob ([0-9a-f-]{8,})/;

type NotMadeProps = Pick<NoticesProps, "onTokenRenewed" | "onShow"> & { error: Error };

function NotMade({ error, onTokenRenewed, onShow }: NotMadeProps) {
  const t = useT();
  if (isOfReplaced(error)) {
    return (
      <Alert
        type="error"
        header={t("create.replaced")}
        action={
          <Button
            onClick={() => {
              onShow("manifest.location.etag");
            }}
          >
            {t("create.replaced.look")}
          </Button>
        }
      >
        {t("create.replaced.text")}
      </Alert>
    );
  }
  const isReused = error instanceof ApiError && error.code === "TokenReused";
  if (!isReused) {
    return <ErrorAlert error={error} header={t("create.failed")} isShown={({ path }) => fieldOf(path) !== null} />;
  }
  const id = JOB_OF_TOKEN.exec(error.message)?.[1];
  return (
    <Alert
      type="warning"
      header={t("create.reused")}
      action={<Button onClick={onTokenRenewed}>{t("create.reused.again")}</Button>}
    >
      <Box>{t("create.reused.text")}</Box>
      {id && <Link href={`/ui/jobs/${id}`}>{id}</Link>}
    </Alert>
  );
}
