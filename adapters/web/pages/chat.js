/*
 * The hosted chat, for apps' web views: the widget as the whole page. `?locale=ja&topic=security&theme=dark` dress it.
 * Who the customer is never comes in the address: the app calls `Kakehashi.identify(token)`, or sets
 * `window.Kakehashi = [["identify", token]]` before the page has loaded.
 */
const asked = new URLSearchParams(location.search);
const script = document.createElement("script");
script.src = "widget.js";
script.dataset.mode = "page";
for (const name of ["locale", "topic", "color", "theme", "brand", "site"]) {
  if (asked.get(name)) script.dataset[name] = asked.get(name);
}
const given = asked.get("locale");
document.documentElement.lang = given || navigator.language || "en";
document.head.append(script);
