// The token that changes of rules need. It is kept for this tab and until the tab is closed, and nowhere else.

const KEY = "write-token";

export function readToken() {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}

export function keepToken(token) {
  try {
    if (token) sessionStorage.setItem(KEY, token);
    else sessionStorage.removeItem(KEY);
  } catch {
    // Storage is forbidden: the token is asked for each time.
  }
}
