import Button from "@cloudscape-design/components/button";
import Link from "@cloudscape-design/components/link";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import { useMutation, useQueryClient } from "@tanstack/react-query";

import { told } from "../../api/client";
import { useApi } from "../../api/context";
import { useMay } from "../../api/queries";
import type { Schemas } from "../../api/types";
import { useFlashes } from "../../components/flashes";
import { RelativeTime } from "../../components/RelativeTime";
import { ResourceTable } from "../../components/ResourceTable";
import { useSpeech, useT } from "../../i18n";

type Delivery = Schemas["DeliveryView"];
const LOOKS = { waiting: "pending", delivered: "success", "given-up": "error" } as const;

/** What was sent to a webhook in the last week, and what waits. */
export function Deliveries({ webhook }: { webhook: string }) {
  const { t, retold } = useSpeech();
  const api = useApi();
  const may = useMay();
  return (
    <ResourceTable
      title={t("deliveries.title", { name: webhook })}
      description={t("deliveries.text")}
      queryKey={["deliveries", webhook]}
      load={(cursor) =>
        told(
          api.GET("/webhooks/{webhook_name}/deliveries", {
            params: { path: { webhook_name: webhook }, query: { cursor, limit: 50 } },
          }),
        )
      }
      idOf={(delivery) => delivery.delivery_id}
      empty={{ title: t("deliveries.empty"), text: t("deliveries.empty.text") }}
      columns={[
        {
          id: "when",
          header: t("deliveries.when"),
          minWidth: 110,
          cell: (delivery) => <RelativeTime at={delivery.happened_time} isShort />,
        },
        {
          id: "what",
          header: t("deliveries.what"),
          minWidth: 100,
          cell: (delivery) => t(`status.${delivery.status}`),
          isRowHeader: true,
        },
        {
          id: "job",
          header: t("deliveries.job"),
          minWidth: 120,
          cell: (delivery) => (
            <Link href={`/ui/jobs/${delivery.job_id}`}>
              <span className="unbroken">{delivery.job_id.slice(0, 13)}</span>
            </Link>
          ),
        },
        {
          id: "state",
          header: t("deliveries.state"),
          minWidth: 130,
          cell: (delivery) => <State delivery={delivery} />,
        },
        { id: "attempts", header: t("deliveries.attempts"), minWidth: 100, cell: (delivery) => delivery.attempts },
        {
          id: "answer",
          header: t("deliveries.answer"),
          minWidth: 200,
          cell: (delivery) => retold(delivery.problem) || (delivery.http_status ?? "-"),
        },
        ...(may("redeliver_message")
          ? [
              {
                id: "again",
                header: t("deliveries.again"),
                minWidth: 110,
                cell: (delivery: Delivery) => <Again webhook={webhook} delivery={delivery} />,
              },
            ]
          : []),
      ]}
    />
  );
}

function State({ delivery }: { delivery: Delivery }) {
  const t = useT();
  return (
    <>
      <StatusIndicator type={LOOKS[delivery.state]}>{t(`deliveries.${delivery.state}`)}</StatusIndicator>{" "}
      {delivery.next_time && (
        <span className="unbroken">
          <RelativeTime at={delivery.next_time} isShort />
        </span>
      )}
    </>
  );
}

function Again({ webhook, delivery }: { webhook: string; delivery: Delivery }) {
  const t = useT();
  const api = useApi();
  const queries = useQueryClient();
  const { flash } = useFlashes();
  const again = useMutation({
    mutationFn: () =>
      told(
        api.POST("/webhooks/{webhook_name}/deliveries/{delivery_id}/redeliver", {
          params: { path: { webhook_name: webhook, delivery_id: delivery.delivery_id } },
        }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["deliveries", webhook] }),
    onError: (error) => {
      flash({ type: "error", content: ({ retold }) => retold(error.message) });
    },
  });
  return (
    <Button
      variant="inline-link"
      loading={again.isPending}
      ariaLabel={t("deliveries.again.of", {
        job: delivery.job_id.slice(0, 13),
        status: t(`status.${delivery.status}`),
      })}
      onClick={() => {
        again.mutate();
      }}
    >
      {t("deliveries.again.do")}
    </Button>
  );
}
