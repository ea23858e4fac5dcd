/** Whose keys, tokens or users are listed, as it stands in the page's address; empty: everybody's that the caller sees. */
export interface Owner {
  readonly account: string;
  readonly user: string;
}

export interface Sees {
  /** Several accounts: who runs the service. */
  accounts: boolean;
  /** Several users: administrators. */
  users: boolean;
}

/** What an address asks for, as far as the caller can see others at all. */
export function ownerOf(search: URLSearchParams, sees: Sees): Owner {
  return {
    account: sees.accounts ? (search.get("account") ?? "").trim() : "",
    user: sees.users ? (search.get("user") ?? "").trim() : "",
  };
}

/** The same address with another owner. A user is of one account, so that another account forgets them. */
export function withOwner(search: URLSearchParams, change: Partial<Owner>): URLSearchParams {
  const changed = new URLSearchParams(search);
  const all = change.account === undefined ? change : { user: "", ...change };
  for (const [name, value] of Object.entries(all)) {
    if (value) changed.set(name, value);
    else changed.delete(name);
  }
  return changed;
}

/** The part of a query of the API that an owner is. */
export function queryOf({ account, user }: Owner): Partial<Owner> {
  return { ...(account && { account }), ...(user && { user }) };
}
