/** Asks for a key: as a page of its own, or over a page whose session has ended. */
import { html, useState } from "../core/html.js";
import { say } from "../core/language.js";
import { signIn } from "../core/session.js";
import { SealMark } from "./brand.js";
import { Button } from "./button.js";
import { LanguageSwitch, ThemeSwitch } from "./choices.js";
import { Dialog } from "./dialog.js";
import { TextField } from "./field.js";

/** The page that those see who have no session. */
export const SignIn = () => html`<main id="main" class="signin">
  <div class="signin-box">
    <${SealMark} size=${56} />
    <h1 tabindex="-1">Inkseal <span lang="zh">墨印</span></h1>
    <p class="lead">${say("Everything made here is checked, labelled, signed and can be traced.", "这里生成的一切都经过检查、标识与签名，来源可查。")}</p>
    <${KeyForm} />
    <div class="signin-choices"><${LanguageSwitch} /><${ThemeSwitch} /></div>
  </div>
</main>`;

/** The window over a page; what was written on the page stays. */
export const SignInAgain = () => html`<${Dialog} title=${say("Sign in again", "请重新登录")}>
  <p>${say("The session has ended or the key was revoked. What you wrote stays where it is.", "会话已结束，或密钥已被吊销。您输入的内容仍在原处。")}</p>
  <${KeyForm} />
<//>`;

function KeyForm() {
  const [key, setKey] = useState("");
  const [error, setError] = useState("");
  const [isBusy, setBusy] = useState(false);
  const send = async (event) => {
    event.preventDefault();
    if (!key.trim() || isBusy) return;
    if (/[^\x21-\x7e]/.test(key.trim())) return setError(say("That is not a key.", "这不是有效的密钥。"));
    setBusy(true);
    try {
      await signIn(key.trim());
    } catch (found) {
      const wrong = say("This key opens nothing: it is mistyped or was revoked.", "此密钥无效：可能输入有误，或已被吊销。");
      setError(found.status === 401 ? wrong : found.message);
    } finally {
      setBusy(false);
    }
  };
  return html`<form class="form" onSubmit=${send} novalidate>
    <${TextField}
      label=${say("Your key", "您的密钥")}
      help=${say("It begins with ink-. An administrator makes one with: inkseal keys create NAME", "以 ink- 开头。管理员可用以下命令创建：inkseal keys create 名称")}
      type="password"
      name="key"
      autocomplete="current-password"
      autofocus
      spellcheck=${false}
      value=${key}
      error=${error}
      onChange=${(text) => (setKey(text), setError(""))}
    />
    <${Button} kind="primary" type="submit" icon="key" busy=${isBusy}>${say("Sign in", "登录")}<//>
  </form>`;
}
