// Asks for the write token when the API wants one, and tries again what it was wanted for.

import { parts, write } from "./dom.js";
import { keepToken, readToken } from "./write-token.js";

export function mountTokenDialog(root) {
  const part = parts(root);
  let settle = null;

  const ask = (reason) => {
    write(part.reason, reason);
    part.token.value = "";
    root.returnValue = "";
    root.showModal();
    return new Promise((resolve) => {
      settle = resolve;
    });
  };
  root.addEventListener("close", () => {
    const token = root.returnValue === "use" ? part.token.value.trim() : "";
    part.token.value = "";
    settle?.(token);
    settle = null;
  });
  part.cancel.addEventListener("click", () => root.close(""));
  root.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    if (part.token.value.trim()) root.close("use");
  });

  return {
    // Runs `action` with a token: the one of this tab, else the one that is given now. null when none was given.
    async withToken(action) {
      let reason = "Changes need the write token of this platform. It is kept for this tab only.";
      for (;;) {
        if (!readToken()) {
          const token = await ask(reason);
          if (!token) return null;
          keepToken(token);
        }
        try {
          return await action();
        } catch (error) {
          if (error.status !== 401 && error.status !== 403) throw error;
          keepToken(null);
          reason = "That token was not accepted. Try another one.";
        }
      }
    },
  };
}
