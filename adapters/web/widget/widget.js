/*
 * The loader draws the launcher and nothing else. The rest is fetched when the chat is opened, or when this device
 * holds something to deliver. Calls on window.Kakehashi made before that are kept in order.
 */
(() => {
  const api = window.Kakehashi;
  if (api && api.open) return;
  const script = document.currentScript;
  const data = { ...script.dataset };
  const base = new URL(".", script.src).href;
  const version = "@version@"; // written in by the server; modules under a version never change
  const modules = `${base}widget/${version.startsWith("@") ? "" : `${version}/`}`;
  const site = data.site || "main";
  const mine = `kakehashi/${site}/`;
  const kept = (area) => Object.keys(area).filter((key) => key.startsWith(mine));
  const words = {
    en: ["Open chat", "Chat could not be loaded. Tap to try again."],
    ja: ["チャットを開く", "チャットを読み込めませんでした。もう一度お試しください。"],
    "zh-Hans": ["打开在线客服", "客服窗口加载失败，请再试一次。"],
    "zh-Hant": ["開啟線上客服", "客服視窗載入失敗，請再試一次。"],
  };
  const asked = () => data.locale || document.documentElement.lang || navigator.language || "en";
  const language = () => {
    const tag = asked().toLowerCase();
    if (/^zh\b/.test(tag)) return /hant|tw|hk|mo/.test(tag) ? "zh-Hant" : "zh-Hans";
    return tag.startsWith("ja") ? "ja" : "en";
  };

  const host = document.createElement("kakehashi-chat");
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
:host{all:initial!important;position:fixed!important;right:0!important;bottom:0!important;width:0!important;
height:0!important;z-index:2147483000!important}
.launcher{position:fixed;bottom:calc(var(--k-y) + env(safe-area-inset-bottom));right:calc(var(--k-x) +
env(safe-area-inset-right));width:56px;height:56px;padding:0;border:0;border-radius:50%;cursor:pointer;
color:var(--k-on-accent,#fff);background:var(--kakehashi-color,var(--k-color));
box-shadow:0 4px 18px #0b162240}
.left{right:auto;left:calc(var(--k-x) + env(safe-area-inset-left))}
.launcher:hover{filter:brightness(1.1)}
.launcher:focus-visible{outline:3px solid var(--k-ring,#5b9bd5);outline-offset:3px}
.launcher svg{width:28px;height:28px;display:block;margin:auto;fill:none;stroke:currentColor;stroke-width:1.75;
stroke-linecap:round;stroke-linejoin:round}
[data-fail]:after{content:attr(data-fail);position:absolute;right:68px;bottom:8px;width:190px;padding:8px;
border-radius:8px;font:13px sans-serif;background:#fff;color:#333}
.left:after{right:auto;left:68px}
.launcher[aria-busy]{opacity:.75;cursor:progress}
@media print{.launcher{display:none}}`);
  root.adoptedStyleSheets = [sheet];
  host.style.setProperty("--k-color", data.color || "#1f4f7a");
  for (const axis of ["X", "Y"]) {
    const offset = Number.parseFloat(data[`offset${axis}`] || 20) || 0;
    host.style.setProperty(`--k-${axis.toLowerCase()}`, `${offset}px`);
  }

  const launcher = document.createElement("button");
  launcher.type = "button";
  launcher.className = data.position === "left" ? "launcher left" : "launcher";
  launcher.hidden = data.launcher === "none" || data.mode === "page";
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute(
    "d",
    "M7 4.5h10a3 3 0 013 3v6a3 3 0 01-3 3h-5L8 20v-3.5H7a3 3 0 01-3-3v-6a3 3 0 013-3zM8.5 9h7M8.5 12h4.5",
  );
  svg.append(path);
  launcher.append(svg);
  root.append(launcher);
  const label = (text) => {
    launcher.ariaLabel = launcher.title = text;
    host.lang = language();
  };
  label(words[language()][0]);

  let app = null;
  let loading = null;
  const calls = [];
  const load = () => {
    if (!loading) {
      launcher.setAttribute("aria-busy", "true");
      loading = import(`${modules}app.js`)
        .then((module) => module.start({ host, root, launcher, data, base, site, asked }))
        .then((started) => {
          app = started;
          delete launcher.dataset.fail;
          for (const [name, args] of calls.splice(0)) app[name](...args);
        })
        .catch((problem) => {
          loading = null;
          label((launcher.dataset.fail = words[language()][1]));
          console.warn("Kakehashi:", problem);
        })
        .finally(() => launcher.removeAttribute("aria-busy"));
    }
    return loading;
  };
  // Leave nothing of this person here, at once: the page may be about to go. The desk is told to revoke the token.
  const forget = () => {
    let token = null;
    try {
      token = JSON.parse(localStorage.getItem(`${mine}token`));
      for (const area of [localStorage, sessionStorage]) for (const key of kept(area)) area.removeItem(key);
      indexedDB.deleteDatabase(`kakehashi/${site}`);
    } catch {} // storage is forbidden, so nothing is in it
    if (!loading) calls.length = 0;
    return token || loading ? call("logout", true)(token) : undefined;
  };
  const call =
    (name, wakes) =>
    (...args) => {
      if (app) return app[name](...args);
      calls.push([name, args]);
      return wakes ? load() : undefined;
    };
  window.Kakehashi = {
    open: call("open", true),
    close: call("close"),
    identify: call("identify"),
    onTokenExpiring: call("onTokenExpiring"),
    onUnread: call("onUnread"),
    logout: () => (app ? app.logout() : forget()),
  };
  for (const [name, ...args] of Array.isArray(api) ? api : []) window.Kakehashi[name](...args);
  launcher.addEventListener("click", () => window.Kakehashi.open());

  // Frameworks replace the body or its children; the button, and the conversation in it, come back as they were.
  const watch = new MutationObserver(() => {
    place();
    if (app) app.follow();
    else label(words[language()][0]);
  });
  const place = () => {
    if (document.body && !host.isConnected) document.body.append(host);
    watch.disconnect();
    watch.observe(document.documentElement, { childList: true, attributes: true, attributeFilter: ["lang"] });
    if (document.body) watch.observe(document.body, { childList: true });
  };
  place();

  const waiting = () => {
    try {
      const news = kept(localStorage).some((key) => key === `${mine}live` || key.startsWith(`${mine}unsent/`));
      return news || sessionStorage.getItem(`${mine}open`);
    } catch {
      return false;
    }
  };
  if (data.mode === "page" || waiting()) load();
})();
