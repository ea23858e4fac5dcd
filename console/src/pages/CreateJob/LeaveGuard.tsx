import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useBlocker } from "react-router";

import { useT } from "../../i18n";

interface LeaveGuardProps {
  /** Whether something was entered that is not sent. */
  isOn: () => boolean;
  onDiscard: () => void;
}

/** Asks before a page is left that somebody has filled in. A login that ran out is no such leaving: the draft waits. */
export function LeaveGuard({ isOn, onDiscard }: LeaveGuardProps) {
  const t = useT();
  const blocker = useBlocker(
    ({ currentLocation, nextLocation }) =>
      nextLocation.pathname !== currentLocation.pathname && !nextLocation.pathname.startsWith("/login") && isOn(),
  );
  const stay = () => blocker.reset?.();
  return (
    <Modal
      visible={blocker.state === "blocked"}
      header={t("create.leave")}
      onDismiss={stay}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={stay}>
              {t("create.leave.stay")}
            </Button>
            <Button
              onClick={() => {
                onDiscard();
                blocker.proceed?.();
              }}
            >
              {t("create.leave.discard")}
            </Button>
            <Button variant="primary" onClick={() => blocker.proceed?.()}>
              {t("create.leave.keep")}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      {t("create.leave.text")}
    </Modal>
  );
}
