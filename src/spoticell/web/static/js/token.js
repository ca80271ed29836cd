// A server that asks for a token: once for each browser.

import * as api from "./api.js";
import { $ } from "./dom.js";
import { view } from "./view.js";

export function askToken(onEntered) {
  view("token", "Token");
  $("token-box").focus();
  $("token-form").onsubmit = async (event) => {
    event.preventDefault();
    try {
      await api.token($("token-box").value);
    } catch (error) {
      $("token-wrong").textContent = error.status === 401 ? "That isn’t the token of this server." : error.message;
      $("token-wrong").hidden = false;
      return;
    }
    onEntered();
  };
}
