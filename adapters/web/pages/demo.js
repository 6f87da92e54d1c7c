/* The demonstration's words. Changing the language changes <html lang>, and the widget follows it. */
const WORDS = {
  en: {
    nav: "Main",
    trade: "Trade",
    assets: "Assets",
    transfer: "Deposit & withdraw",
    language: "Language",
    demo: "A demonstration. Nothing here can be bought or sold. The chat at the bottom right is real.",
    high: "24 h high",
    low: "24 h low",
    volume: "24 h volume",
    chart: "BTC price over the last 24 hours, rising",
    book: "Order book",
    pricejpy: "Price (JPY)",
    amountbtc: "Amount (BTC)",
    order: "New order",
    side: "Side",
    buy: "Buy",
    sell: "Sell",
    total: "Total",
    place: "Place order",
    orders: "Open orders",
    time: "Time",
    said: "This is a demonstration: no order was placed.",
  },
  ja: {
    nav: "メイン",
    trade: "取引",
    assets: "資産",
    transfer: "入出金",
    language: "言語",
    demo: "デモ画面です。実際の売買はできません。右下のチャットは実際にお使いいただけます。",
    high: "24時間高値",
    low: "24時間安値",
    volume: "24時間出来高",
    chart: "直近24時間のBTC価格（上昇）",
    book: "板情報",
    pricejpy: "価格（円）",
    amountbtc: "数量（BTC）",
    order: "新規注文",
    side: "売買",
    buy: "買い",
    sell: "売り",
    total: "合計",
    place: "注文する",
    orders: "未約定の注文",
    time: "時刻",
    said: "デモ画面のため、注文は行われませんでした。",
  },
  "zh-Hans": {
    nav: "主菜单",
    trade: "交易",
    assets: "资产",
    transfer: "充值与提现",
    language: "语言",
    demo: "演示页面，无法进行真实买卖。右下角的在线客服可以真实使用。",
    high: "24小时最高",
    low: "24小时最低",
    volume: "24小时成交量",
    chart: "近24小时BTC价格走势（上涨）",
    book: "盘口",
    pricejpy: "价格（日元）",
    amountbtc: "数量（BTC）",
    order: "下单",
    side: "方向",
    buy: "买入",
    sell: "卖出",
    total: "合计",
    place: "提交订单",
    orders: "当前委托",
    time: "时间",
    said: "这是演示页面，未提交任何订单。",
  },
  "zh-Hant": {
    nav: "主選單",
    trade: "交易",
    assets: "資產",
    transfer: "存款與提領",
    language: "語言",
    demo: "示範頁面，無法實際買賣。右下角的線上客服可以實際使用。",
    high: "24 小時最高",
    low: "24 小時最低",
    volume: "24 小時成交量",
    chart: "近 24 小時 BTC 價格走勢（上漲）",
    book: "委託簿",
    pricejpy: "價格（日圓）",
    amountbtc: "數量（BTC）",
    order: "下單",
    side: "方向",
    buy: "買進",
    sell: "賣出",
    total: "合計",
    place: "送出委託",
    orders: "未成交委託",
    time: "時間",
    said: "這是示範頁面，沒有送出任何委託。",
  },
};

const select = document.getElementById("language");

function speak(language) {
  const words = WORDS[language];
  document.documentElement.lang = language;
  select.value = language;
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = words[element.dataset.text];
  for (const element of document.querySelectorAll("[data-label]"))
    element.setAttribute("aria-label", words[element.dataset.label]);
}

function fitting(tag) {
  if (/^zh\b/i.test(tag)) return /hant|tw|hk|mo/i.test(tag) ? "zh-Hant" : "zh-Hans";
  return /^ja\b/i.test(tag) ? "ja" : "en";
}

const chosen = new URLSearchParams(location.search).get("lang");
speak(fitting(chosen || navigator.language));
select.addEventListener("change", () => {
  document.getElementById("said").textContent = "";
  speak(select.value);
});
document.getElementById("form").addEventListener("submit", (event) => {
  event.preventDefault();
  document.getElementById("said").textContent = WORDS[document.documentElement.lang].said;
});
