import { useQuery } from "@tanstack/react-query";

import { type Api, told } from "./client";
import { useApi } from "./context";
import type { Schemas } from "./types";

export type Bucket = Schemas["BucketView"];
export type ObjectPage = Schemas["ObjectPage"];
type Role = Schemas["RoleView"];

const PAGE_MAX = 1_000;
const PAGES_MAX = 10;
const FRESH_MS = 60_000;

/** With which rights somebody looks into a region's store. */
export interface Sight {
  region: string;
  /** Empty: with the region's own credentials, which is for admins. */
  roleArn: string;
}

/** The buckets that may be listed there; not asked for before there is a region. */
export function useBuckets({ region, roleArn }: Sight) {
  const api = useApi();
  return useQuery({
    queryKey: ["buckets", region, roleArn],
    enabled: region !== "",
    staleTime: FRESH_MS,
    retry: false,
    queryFn: (): Promise<Bucket[]> =>
      allPages((page) => told(api.GET("/buckets", { params: { query: { region, role_arn: roleArn, ...page } } }))),
  });
}

/** One page of a folder: `prefix` ends in a slash, or is the beginning of names in it. */
export function useObjects({ region, roleArn }: Sight, bucket: string, prefix: string, cursor: string) {
  const api = useApi();
  return useQuery({
    queryKey: ["objects", region, roleArn, bucket, prefix, cursor],
    staleTime: FRESH_MS,
    retry: false,
    queryFn: () =>
      told(api.GET("/objects", { params: { query: queryOf({ region, roleArn }, bucket, prefix, cursor) } })),
  });
}

function queryOf({ region, roleArn }: Sight, bucket: string, prefix: string, cursor: string) {
  return { region, bucket, prefix, delimiter: "/", role_arn: roleArn, limit: 100, cursor };
}

/** The roles that jobs of the account may name. */
export function useRoles() {
  const api: Api = useApi();
  return useQuery({
    queryKey: ["roles", "all"],
    staleTime: FRESH_MS,
    refetchOnWindowFocus: "always", // a role may have been created in another tab
    queryFn: (): Promise<Role[]> => allPages((page) => told(api.GET("/roles", { params: { query: page } }))),
  });
}

interface Paged<Member> {
  items: Member[];
  next_cursor: string | null;
}

/** All of a list that is short enough to choose from; of a longer one its beginning. */
export async function allPages<Member>(
  ask: (page: { limit: number; cursor: string }) => Promise<Paged<Member>>,
): Promise<Member[]> {
  const found: Member[] = [];
  let cursor: string | null = "";
  for (let page = 0; page < PAGES_MAX && cursor !== null; page += 1) {
    const answer: Paged<Member> = await ask({ limit: PAGE_MAX, cursor });
    found.push(...answer.items);
    cursor = answer.next_cursor;
  }
  return found;
}
