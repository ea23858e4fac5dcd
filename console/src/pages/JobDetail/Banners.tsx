import Alert, { type AlertProps } from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Link from "@cloudscape-design/components/link";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { ReactNode } from "react";

import type { Job, JobAction } from "../../api/types";
import { Reason } from "../../components/EventWords";
import { offersFor } from "../../components/jobActions";
import { useJobActions, useMeans } from "../../components/JobActionsMenu";
import { AbsoluteTime } from "../../components/RelativeTime";
import { UndeliveredText } from "../../components/UndeliveredText";
import { useSpeech, useT } from "../../i18n";
import { useFormats } from "../../i18n/formats";
import { type Banner, bannersOf } from "./banners";

/** What the owner of a job must know at once, each with the way out. */
export function Banners({ job }: { job: Job }) {
  const { ask, modal } = useJobActions();
  const means = useMeans();
  const found = bannersOf(job);
  const possible = new Set(
    offersFor([job], means)
      .filter(({ whyNot }) => whyNot === null)
      .map(({ action }) => action),
  );
  const askFor = (action: JobAction) =>
    possible.has(action)
      ? () => {
          ask(action, [job]);
        }
      : undefined;
  return (
    <>
      {found.length > 0 && (
        <SpaceBetween size="s">
          {found.map((banner) => (
            <BannerAlert
              key={`${banner.kind} ${"code" in banner ? banner.code : ""}`}
              banner={banner}
              askFor={askFor}
            />
          ))}
        </SpaceBetween>
      )}
      {modal}
    </>
  );
}

interface BannerAlertProps {
  banner: Banner;
  /** Asks an action of the job; undefined where it cannot be asked for. */
  askFor: (action: JobAction) => (() => void) | undefined;
}

const LOOKS: Record<Banner["kind"], AlertProps.Type> = {
  failed: "error",
  hold: "warning",
  undelivered: "warning",
  confirm: "warning",
  "greater-job": "info",
  window: "info",
  paused: "info",
  cancelled: "info",
  ignored: "warning",
  "over-threshold": "warning",
  "shared-targets": "warning",
  "dry-run": "info",
};

const ACTIONS: Partial<Record<Banner["kind"], JobAction>> = { confirm: "confirm", paused: "resume" };

function BannerAlert({ banner, askFor }: BannerAlertProps) {
  const t = useT();
  const action = ACTIONS[banner.kind];
  const onAct = action && askFor(action);
  return (
    <Alert
      type={LOOKS[banner.kind]}
      header={t(`job.banner.${banner.kind}`)}
      action={action && onAct && <Button onClick={onAct}>{t(`action.${action}`)}</Button>}
    >
      <BannerText banner={banner} />
    </Alert>
  );
}

function BannerText({ banner }: { banner: Banner }): ReactNode {
  const { t, retold } = useSpeech();
  const formats = useFormats();
  switch (banner.kind) {
    case "failed":
      return <FailedText code={banner.code} reason={banner.reason} />;
    case "hold":
      return (
        <SpaceBetween size="xxs">
          <div>
            <Box variant="code">{retold(banner.bucket)}</Box> {retold(banner.reason)}
          </div>
          <div>
            {t("job.banner.hold.since")} <AbsoluteTime at={banner.since} />
          </div>
          <Until key="until" at={banner.until} text={t("job.banner.hold.until")} />
        </SpaceBetween>
      );
    case "undelivered":
      return <UndeliveredText found={banner.found} isFinal={banner.isFinal} />;
    case "confirm":
      return (
        <SpaceBetween size="xxs">
          <div>{confirmText(banner, t, formats.count)}</div>
          <Until at={banner.until} text={t("job.banner.confirm.until")} />
        </SpaceBetween>
      );
    case "greater-job":
      return (
        <>
          {t(banner.isPaused ? "job.banner.greater-job.paused" : "job.banner.greater-job.ready")}{" "}
          <Link href={`/ui/jobs/${banner.jobId}`}>{banner.jobId}</Link>
        </>
      );
    case "window":
      return banner.until ? (
        <>
          {t("job.banner.window.until")} <AbsoluteTime at={banner.until} />
        </>
      ) : (
        t("job.banner.window.none")
      );
    case "paused":
    case "cancelled":
      return <Reason reason={banner.reason} />;
    case "ignored":
      return (
        <>
          {t("job.banner.ignored.text")}
          <ul>
            {banner.options.map(({ name, count }) => (
              <li key={name}>
                <Box variant="code">{name}</Box> {t("job.banner.ignored.count", { count })}
              </li>
            ))}
          </ul>
        </>
      );
    case "over-threshold":
      return t(banner.isDryRun ? "job.banner.over-threshold.dry-run" : "job.banner.over-threshold.text", {
        share: formats.percent(banner.share),
        limit: formats.percent(banner.limit),
      });
    case "shared-targets":
      return t("job.banner.shared-targets.text", { count: banner.count });
    case "dry-run":
      return t("job.banner.dry-run.text");
  }
}

/** The code as it is, what it means in the user's language, and the service's own words. */
function FailedText({ code, reason }: { code: string; reason: string }) {
  const { t, has } = useSpeech();
  const hint = `hint.job.${code}`;
  return (
    <SpaceBetween size="xxs">
      <div>
        <Box variant="code">{code}</Box> <Reason reason={reason} isOwn />
      </div>
      {has(hint) && <div>{t(hint)}</div>}
    </SpaceBetween>
  );
}

function confirmText(
  { total, isDeletion }: Extract<Banner, { kind: "confirm" }>,
  t: ReturnType<typeof useT>,
  count: (value: number) => string,
): string {
  if (total === null) return t("job.banner.confirm.text");
  return t(isDeletion ? "job.banner.confirm.delete" : "job.banner.confirm.total", { count: count(total) });
}

function Until({ at, text }: { at: string | null; text: string }) {
  if (!at) return null;
  return (
    <div>
      {text} <AbsoluteTime at={at} />
    </div>
  );
}
