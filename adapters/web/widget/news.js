/*
 * What the desk says besides the conversation: who is open when, how long an answer usually takes, what is broken just
 * now, and the customer's place in the line. It holds until it is said anew.
 */

export class News {
  constructor() {
    this.service = null;
    this.incidents = [];
    this.clear();
  }

  welcome({ service, incidents, queue, session }) {
    this.house({ service, incidents });
    this.place({ queue, session: session?.code });
  }

  house({ service, incidents }) {
    this.service = service ?? null;
    this.incidents = incidents ?? [];
  }

  /** The place is another now. Once it has risen, it stays explained until it falls again. True when it moved. */
  place({ queue, session }) {
    const before = this.session === session ? this.queue : null;
    const moved = (queue?.position ?? null) !== (before?.position ?? null);
    const falls = queue && before && queue.position < before.position;
    this.risen = Boolean(queue?.risen || (before && this.risen && !falls));
    this.queue = queue ?? null;
    this.session = session;
    return moved && this.queue !== null;
  }

  /** Another conversation, or another customer: the old place says nothing of the new one. */
  clear() {
    this.queue = null;
    this.session = null;
    this.risen = false;
  }

  /** The place in the line of a session that waits in one: `{position, low, high, risen}`, or null. */
  placeOf(session) {
    const waits = session?.state === "queued" && session.code === this.session && !session.opens;
    return waits && this.queue ? { ...this.queue, risen: this.risen } : null;
  }

  emergency(topic) {
    return this.service?.topics?.[topic]?.emergency ?? false;
  }

  /** When a closed topic opens: ms, null where nobody can say; false while it is open, and when all open then. */
  opens(topic) {
    const door = this.service?.topics?.[topic];
    if (!door || door.open) return false;
    const asAll = !this.service.open && door.opens === this.service.opens;
    return asAll ? false : (door.opens ?? null);
  }
}

/** "You are third in line · about 4–7 minutes". */
export function placeText(words, { position, low, high }) {
  const known = low !== null && high !== null;
  const wait = known ? words.text("notice.wait", { span: words.span(low, high) }) : words.text("notice.wait.unknown");
  return words.text("notice.queue", { place: words.text("notice.place", { nth: position }), wait });
}

/** Who answers, in a few words for the header: since when we are closed, how long it usually takes, or that we are here. */
export function serviceText(words, service) {
  if (service && !service.open) return opensText(words, service.opens);
  const wait = service?.wait;
  return wait ? words.text("header.usual", { span: words.span(wait.low, wait.high) }) : words.text("header.here");
}

export function opensText(words, opens) {
  return opens ? words.opens(opens) : words.text("opens.unknown");
}
