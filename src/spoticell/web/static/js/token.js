// A server that asks for a token: once for each browser.

import { $ } from "./dom.js";
import { view } from "./view.js";

export function askToken(onEntered) {
  view("token", "Token");
  $("token-box").focus();
  $("token-form").onsubmit = async (event) => {
    event.preventDefault();
    const reply = await fetch("/api/token", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ token: $("token-box").value }),
    }).catch(() => null);
    $("token-wrong").hidden = Boolean(reply?.ok);
    $("token-wrong").textContent = reply ? "That isn’t the token." : "The server doesn’t answer.";
    if (reply?.ok) onEntered();
  };
}
