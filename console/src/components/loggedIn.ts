/**
 * Whether somebody was let in with this browser and has not logged out: then a session that is gone has ended, and what
 * a page shows may be asked for before it is known that there is one.
 */
const KEY = "cosbatch.logged-in";

export function keepLogin(): void {
  try {
    localStorage.setItem(KEY, "yes");
  } catch {
    // a browser that keeps nothing: the login says less
  }
}

export function forgetLogin(): void {
  try {
    localStorage.removeItem(KEY);
  } catch {
    // nothing was kept
  }
}

export function wasLoggedIn(): boolean {
  try {
    return localStorage.getItem(KEY) !== null;
  } catch {
    return false;
  }
}
