import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Form from "@cloudscape-design/components/form";
import Modal, { type ModalProps } from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useId } from "react";

import { isUnanswered } from "../api/errors";
import type { Fault } from "../api/types";
import { useT } from "../i18n";
import { ErrorAlert, ErrorText } from "./ErrorAlert";
import { useFlashes } from "./flashes";

interface FormModalProps {
  title: string;
  /** The button that does it. */
  action: string;
  /** The button that leaves it, where it only asks and there is nothing to be taken back. */
  leave?: string;
  isPending: boolean;
  error: Error | null;
  /** Faults that stand beside their fields. */
  isShown?: (fault: Fault) => boolean;
  isDisabled?: boolean;
  size?: ModalProps.Size;
  onSubmit: () => void;
  onClose: () => void;
  children: ReactNode;
}

/**
 * A small form over the page: Enter does it, Escape leaves it. It stays open until what was asked for is done; who leaves
 * it before is told above the page if it is refused.
 */
export function FormModal(props: FormModalProps) {
  const t = useT();
  const id = useId();
  const tellOfRefusal = useTellOfRefusal();
  const leave = () => {
    if (props.isPending) tellOfRefusal();
    props.onClose();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    event.stopPropagation();
    if (!props.isPending && !props.isDisabled) props.onSubmit();
  };
  return (
    <Modal
      visible
      header={props.title}
      size={props.size ?? "medium"}
      onDismiss={leave}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={leave}>
              {props.leave ?? t("form.cancel")}
            </Button>
            <Button variant="primary" form={id} loading={props.isPending} {...(props.isDisabled && { disabled: true })}>
              {props.action}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <form id={id} onSubmit={submit}>
        <Form>
          <SpaceBetween size="m">
            {props.error && <ErrorAlert error={props.error} {...(props.isShown && { isShown: props.isShown })} />}
            {props.children}
          </SpaceBetween>
        </Form>
      </form>
    </Modal>
  );
}

/** Waits for the answer to what was sent last. */
function useTellOfRefusal(): () => void {
  const sent = useQueryClient().getMutationCache();
  const { flash } = useFlashes();
  return () => {
    const last = sent
      .findAll({ status: "pending" })
      .toSorted((one, other) => one.state.submittedAt - other.state.submittedAt)
      .at(-1);
    if (!last) return;
    const stop = sent.subscribe(({ mutation }) => {
      if (mutation !== last || last.state.status === "pending") return;
      stop();
      const { error } = last.state;
      if (error) {
        flash({
          type: "error",
          header: ({ t }) => t(isUnanswered(error) ? "form.left.unanswered" : "form.left.refused"),
          content: () => <ErrorText error={error} />,
        });
      }
    });
  };
}
