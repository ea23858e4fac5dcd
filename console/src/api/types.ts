import type { components, operations } from "./schema";

/** Shapes of the API, by the names that the pages use. `schema.d.ts` is made from docs/reference/openapi.json. */
type Schemas = components["schemas"];
export type { Schemas };
export type OperationId = keyof operations;
export type Session = Schemas["SessionView"];
export type Capabilities = Schemas["CapabilitiesView"];
export type JobListPage = Schemas["JobListPage"];
export type ListedJob = Schemas["ListedJobView"];
export type Job = Schemas["JobView"];
export type JobForm = Schemas["JobForm"];
export type JobStatus = Schemas["JobStatus"];
export type JobAction = Schemas["JobAction"];
export type JobGroup = Schemas["JobGroup"];
export type OperationName = Schemas["OperationName"];
export type Progress = Schemas["ProgressView"];
export type Region = Schemas["RegionView"];
export type Role = Schemas["RoleView"];
export type Fault = Schemas["FaultShape"];
