import Box from "@cloudscape-design/components/box";

import type { ListedJob } from "../api/types";
import { shortId } from "../components/jobActions";
import { useNow } from "../components/RelativeTime";
import { type Translate, useT } from "../i18n";
import { type Formats, useFormats } from "../i18n/formats";
import { type Note, noteOf } from "./jobListView";

/** Below a job's status: why it does not run, or what is wrong with it. */
export function JobNote({ job }: { job: ListedJob }) {
  const note = noteOf(job);
  return note && <NoteText note={note} />;
}

function NoteText({ note }: { note: Note }) {
  const t = useT();
  const formats = useFormats();
  const now = useNow();
  return (
    <Box color="text-body-secondary">
      <span className="job-note" {...(note.kind === "window" ? { title: formats.time(note.until) } : {})}>
        {textOf(note, t, formats, now)}
      </span>
    </Box>
  );
}

function textOf(note: Note, t: Translate, formats: Formats, now: number): string {
  switch (note.kind) {
    case "hold":
      return t("jobs.note.hold", { bucket: note.bucket });
    case "undelivered":
      return t("jobs.note.undelivered");
    case "waits-for":
      return t("jobs.note.waits-for", { job: shortId(note.jobId) });
    case "window":
      return t("jobs.note.window", { when: formats.relative(note.until, now) });
    case "by-user":
      return t("jobs.note.by-user");
    case "failures":
      return t("jobs.note.failures");
  }
}
