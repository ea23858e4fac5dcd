import { type QueryKey, useMutation, useQueryClient } from "@tanstack/react-query";

import { ConfirmModal } from "./ConfirmModal";

interface ConfirmedCallProps<Answer> {
  title: string;
  action: string;
  /** What comes of it, with the name of what it happens to. */
  effect: string;
  /** What has to be typed first, where it cannot be undone. */
  typed?: string;
  /** What is asked for again afterwards. */
  queryKey: QueryKey;
  call: () => Promise<Answer>;
  /** At once, for an answer may hold what is told only once; the lists follow. */
  onDone: (answer: Answer) => void;
  onClose: () => void;
}

/** Asks once more, and then makes a call of the service. */
export function ConfirmedCall<Answer>({ effect, queryKey, call, onDone, ...modal }: ConfirmedCallProps<Answer>) {
  const queries = useQueryClient();
  const change = useMutation({
    mutationFn: call,
    onSuccess: (answer) => {
      onDone(answer);
      return queries.invalidateQueries({ queryKey });
    },
  });
  return (
    <ConfirmModal {...modal} isPending={change.isPending} error={change.error} onConfirm={change.mutate}>
      {effect}
    </ConfirmModal>
  );
}
