import Button from "@cloudscape-design/components/button";
import Wizard from "@cloudscape-design/components/wizard";
import { useEffect, useRef, useState } from "react";
import { useNavigate } from "react-router";

import { ApiError, isUnanswered } from "../../api/errors";
import type { Capabilities } from "../../api/types";
import { useFlashes } from "../../components/flashes";
import { estimateOf } from "../../components/estimate";
import { useT } from "../../i18n";
import { FaultSummary } from "./FaultSummary";
import { focusField } from "./Field";
import { adopted } from "./columns";
import { useJobCheck } from "./jobCheck";
import { LeaveGuard } from "./LeaveGuard";
import { type OwnLook, useLook } from "./look";
import { Manifest } from "./Manifest";
import {
  type Change,
  changed,
  type Draft,
  type Field,
  faultsBeside,
  fieldFaults,
  isReplaced,
  type StepName,
  stepOf,
  type StepProps,
} from "./model";
import { Notices } from "./Notices";
import { Operation } from "./Operation";
import type { Visit } from "./origin";
import { Other } from "./Other";
import { Review } from "./Review";
import { useSend } from "./send";
import { isSameManifest } from "./state";
import { useKept } from "./useKept";
import { type Context, validate } from "./validate";

interface JobWizardProps {
  visit: Visit;
  capabilities: Capabilities;
  user: string;
}

/** The four steps. Its draft outlives a reload; however often it is sent, it makes one job. */
export function JobWizard({ visit, capabilities, user }: JobWizardProps) {
  const t = useT();
  const navigate = useNavigate();
  const { flash } = useFlashes();
  const kept = useKept(visit, user);
  const { state, dispatch, isDirty } = kept;
  const latest = useRef(state.draft);
  useEffect(() => {
    latest.current = state.draft;
  });
  const [attention, setAttention] = useState(0);
  const [isReading, setReading] = useState(false);
  const send = useSend(capabilities, visit.followUp, kept.forget);
  const isDone = useRef(false);

  const isFollowUp = visit.followUp !== null;
  const look = useLook(state.draft, capabilities, { isOff: isFollowUp });
  const check = useJobCheck(state.draft, capabilities, {
    followUp: visit.followUp,
    isOff: state.step !== "review",
  });
  const estimate = estimateOf(check.data?.estimate);
  const context: Context = {
    capabilities,
    look: look.data,
    isMissing: isMissing(look.error),
    objects: estimate?.isExact ? estimate.objects : undefined,
  };
  const show = useShownField(state.step, (step) => {
    dispatch({ type: "go", step });
  });

  /** Goes to a step, or to the first one before it that is not in order. */
  const goForward = (draft: Draft, steps: readonly StepName[], now: Context, target: StepName | null): boolean => {
    dispatch({ type: "judge", steps });
    const faulty = steps.find((step) => validate(step, draft, now).length > 0);
    const next = faulty ?? target;
    if (next) dispatch({ type: "go", step: next });
    if (faulty) setAttention((before) => before + 1);
    return faulty === undefined;
  };

  const leaveForwards = async (requested: StepName) => {
    const from = visit.steps.indexOf(state.step);
    const passed = visit.steps.slice(from, visit.steps.indexOf(requested));
    let { draft } = state;
    let now = context;
    if (passed.includes("manifest") && look.isAsked) {
      setReading(true);
      const read = await readAgain(look);
      setReading(false);
      if (!isSameManifest(latest.current, draft)) return; // the fields can be changed meanwhile
      draft = latest.current;
      now = { ...context, ...read };
      if (read.look) {
        const { location, spec } = draft.manifest;
        const etag = location.etag || read.look.etag;
        const part: Change = { manifest: { location: { etag }, spec: adopted(spec, read.look) ?? {} } };
        draft = changed(draft, part);
        dispatch({ type: "change", part });
      }
    }
    goForward(draft, passed, now, requested);
  };

  /** What was read and checked is of an inventory that is not there any more. */
  const lookAnew = () => {
    look.read();
    void check.refetch();
  };

  const submit = ({ isDryRun }: { isDryRun: boolean }) => {
    if (send.isPending || isDone.current) return;
    const judged = isDryRun ? visit.steps.filter((step) => step !== "review") : visit.steps;
    if (!goForward(state.draft, judged, context, null)) return;
    kept.keepSent();
    send.mutate(
      { draft: state.draft, token: kept.token, isDryRun },
      {
        onSuccess: ({ job, isNew }) => {
          isDone.current = true;
          flash({
            type: "success",
            content: ({ t }) => t(isNew ? (isDryRun ? "create.made.dry" : "create.made") : "create.known"),
          });
          void navigate(`/jobs/${job.job_id}`);
        },
        onError: (error) => {
          const found = error instanceof ApiError ? error.faults : [];
          dispatch({ type: "told", faults: fieldFaults(found) });
          if (isReplaced(found)) lookAnew();
          setAttention((before) => before + 1);
        },
      },
    );
  };

  const ofCheck = check.error instanceof ApiError ? fieldFaults(check.error.faults) : [];
  const told = state.told.filter(({ field }) => stepOf(field) === state.step);
  const props: StepProps = {
    draft: state.draft,
    change: (part: Change) => {
      if (send.isError) send.reset(); // it was about another draft
      dispatch({ type: "change", part });
    },
    faults: [...(state.judged.includes(state.step) ? validate(state.step, state.draft, context) : []), ...told],
    capabilities,
    look,
  };
  const content: Record<StepName, () => React.ReactNode> = {
    manifest: () => <Manifest {...props} />,
    operation: () => <Operation {...props} />,
    other: () => <Other {...props} isFollowUp={isFollowUp} />,
    review: () => (
      <Review
        {...props}
        followUp={visit.followUp}
        check={{ ...check, data: check.data, ask: () => void check.refetch() }}
        onModify={(step) => {
          dispatch({ type: "go", step });
        }}
        onShow={(field) => {
          // What the check has found is told beside its field too, once somebody goes there.
          if (ofCheck.length > 0) dispatch({ type: "told", faults: ofCheck });
          show(field);
        }}
      />
    ),
  };
  return (
    <>
      <Wizard
        steps={visit.steps.map((step) => ({
          title: t(`step.${step}`),
          description: t(`step.${step}.text`),
          content: (
            <div className="stack">
              <Notices
                kept={kept}
                onStartOver={() => {
                  kept.startOver();
                  send.reset();
                }}
                visit={visit}
                look={look}
                step={step}
                draft={state.draft}
                sendError={step === "review" ? send.error : null}
                onTokenRenewed={() => {
                  kept.renewToken();
                  send.reset();
                }}
                onChange={props.change}
                onShow={show}
              />
              <FaultSummary
                faults={
                  step === "review"
                    ? [...props.faults.filter((each) => !told.includes(each)), ...faultsBeside(state.told, ofCheck)]
                    : props.faults
                }
                attention={attention}
                onShow={show}
              />
              {step === state.step && content[step]()}
            </div>
          ),
        }))}
        activeStepIndex={visit.steps.indexOf(state.step)}
        isLoadingNextStep={isReading || send.isPending || send.isSuccess}
        submitButtonText={t("create.ok")}
        secondaryActions={
          state.step === "review" && (
            <Button
              disabled={send.isPending || send.isSuccess}
              onClick={() => {
                submit({ isDryRun: true });
              }}
            >
              {t("create.dry-run")}
            </Button>
          )
        }
        onNavigate={({ detail }) => {
          const requested = visit.steps[detail.requestedStepIndex];
          if (!requested || isReading) return;
          const isForward = detail.requestedStepIndex > visit.steps.indexOf(state.step);
          if (isForward) void leaveForwards(requested);
          else dispatch({ type: "go", step: requested });
        }}
        onCancel={() => {
          void navigate("jobId" in visit.origin ? `/jobs/${visit.origin.jobId}` : "/jobs");
        }}
        onSubmit={() => {
          submit({ isDryRun: false });
        }}
      />
      <LeaveGuard
        isOn={() => (isDirty || send.isPending || isUnanswered(send.error)) && !isDone.current}
        onDiscard={kept.forget}
      />
    </>
  );
}

function isMissing(error: Error | null): boolean {
  return error instanceof ApiError && error.status === 404;
}

/** What the inventory is this moment. Where it cannot be read, only that it is not there keeps one from going on. */
async function readAgain(look: OwnLook): Promise<Pick<Context, "look" | "isMissing">> {
  try {
    return { look: await look.readNow(), isMissing: false };
  } catch (error) {
    return { look: undefined, isMissing: error instanceof Error && isMissing(error) };
  }
}

/** Leads to a field of any step: first to the step, then, once it is there, to the field. */
function useShownField(step: StepName, go: (step: StepName) => void): (field: Field) => void {
  const wanted = useRef<Field | null>(null);
  const [asked, setAsked] = useState(0);
  useEffect(() => {
    if (wanted.current === null || stepOf(wanted.current) !== step) return;
    focusField(wanted.current);
    wanted.current = null;
  }, [asked, step]);
  return (field) => {
    wanted.current = field;
    setAsked((before) => before + 1);
    if (stepOf(field) !== step) go(stepOf(field));
  };
}
