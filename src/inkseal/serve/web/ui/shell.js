/** The frame around every page: the rail, the page itself, and what may appear over both. */
import { classes, html, useEffect, useRef } from "../core/html.js";
import { say, sayWords } from "../core/language.js";
import { fetchAgain, fetched, fetchPage, homePage, listed, pageOf } from "../core/pages.js";
import { route } from "../core/route.js";
import { person, recall, recallError, session } from "../core/session.js";
import { Brand } from "./brand.js";
import { Choices } from "./choices.js";
import { Confirmation, topmost } from "./dialog.js";
import { Icon } from "./icon.js";
import { Keys } from "./keys.js";
import { News } from "./news.js";
import { SignIn, SignInAgain } from "./signin.js";
import { Empty, Failure, Waiting } from "./states.js";
import { Guard } from "./guard.js";

/** Everything that is seen. */
export function Shell() {
  return html`<${Inside} />${!topmost.value && html`<${News} />`}`;
}

function Inside() {
  if (person.value) return html`<${Frame} key=${person.value.key_id} />`;
  if (recallError.value) return html`<main class="signin"><${Failure} error=${recallError.value} again=${recall} /></main>`;
  return session.value === null ? html`<${SignIn} />` : html`<${Waiting} />`;
}

function Frame() {
  return html`<a class="skip" href="#main" onClick=${toMain}>${say("To the page", "跳到正文")}</a>
    <div class="shell">
      <aside class="rail">
        <${Brand} />
        <${Navigation} />
        <${Choices} />
      </aside>
      <${Main} />
    </div>
    <${Confirmation} />
    <${Keys} />
    ${session.value === null && html`<${SignInAgain} />`}`;
}

const toMain = (event) => {
  event.preventDefault();
  document.getElementById("main").focus();
};

const Navigation = () => html`<nav class="navigation" aria-label=${say("Pages", "页面")}>
  <ul>
    ${listed.value.map((page) => {
      const isHere = page.name === (route.value.page || homePage.value?.name);
      return html`<li key=${page.name}>
        <a href=${`#/${page.name}`} aria-current=${isHere ? "page" : undefined}>
          <${Icon} name=${page.icon} /><span>${sayWords(page.title)}</span>
        </a>
      </li>`;
    })}
  </ul>
</nav>`;

function Main() {
  const { page: name, steps, query } = route.value;
  const page = name ? pageOf(name) : homePage.value;
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const first = useRef(true);
  const title = page ? sayWords(page.title) : say("Nothing here", "此处没有内容");
  useEffect(() => {
    document.title = `${title} · Inkseal 墨印`;
  }, [title]);
  useEffect(() => {
    if (!first.current) {
      box.current.scrollTop = 0;
      scrollTo(0, 0);
      (box.current.querySelector("h1[tabindex]") ?? box.current).focus({ preventScroll: true });
    }
    first.current = false;
  }, [page?.name]);
  return html`<main id="main" class=${classes("main", page?.layout && `main-${page.layout}`)} tabindex="-1" ref=${box}>
    ${page
      ? html`<${Guard} key=${page.name}><${Fetched} name=${page.name} steps=${steps} query=${query} /><//>`
      : html`<${Empty} icon="help" title=${title}><p>${say("There is no such page for you.", "没有您可以打开的此页面。")}</p><p><a href="#/">${say("To the start", "回到首页")}</a></p><//>`}
  </main>`;
}

function Fetched({ name, ...props }) {
  const found = fetched.value[name];
  useEffect(() => {
    fetchPage(name);
  }, [name]);
  if (found?.error) return html`<${Failure} title=${say("This page could not be fetched.", "无法获取此页面。")} error=${found.error} again=${() => fetchAgain(name)} />`;
  return found ? html`<${found.Page} ...${props} />` : html`<${Waiting} />`;
}
